"""What travels to a matcher over HTTP, and how its answers are read; no socket here."""
