"""Intervals that hold for proportions, people and dependent samples."""
