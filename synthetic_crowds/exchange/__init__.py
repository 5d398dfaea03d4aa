"""Crowds for other tools: truth in the formats that trackers and detectors read."""
