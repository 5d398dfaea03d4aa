"""Populations without pixels: templates by the million, for galleries at scale."""
