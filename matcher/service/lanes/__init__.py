"""The threads that do the work, and what they search."""
