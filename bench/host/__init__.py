"""The machine underneath: what it is, what it is doing, and which clock tells it."""
