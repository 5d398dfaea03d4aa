"""Heads: shaped by the basis, painted, with hair and what is worn on them."""
