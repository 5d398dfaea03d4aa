"""The empty street, its light, and who walks through it when."""
