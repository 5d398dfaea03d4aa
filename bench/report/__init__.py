"""What a run looks like to people: one self-contained page, one table."""
