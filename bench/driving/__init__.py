"""Carries a load plan to a target, on time, and keeps the books of what came back."""
