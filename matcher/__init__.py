"""The system under test: encoded frames and a gallery in, probes and alerts out.

Knows nothing of truth, load or scenarios.
"""
