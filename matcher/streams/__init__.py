"""Cameras as they come: whatever PyAV opens becomes frames with capture times."""
