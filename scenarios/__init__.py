"""What to run: scenario files, their schema, and the streams of randomness.

Owns the composition of every layer's settings. Knows nothing of how they act.
"""
