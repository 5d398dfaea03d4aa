"""The embedders, one a module; importing this package registers them."""

from matcher.embedders import reference

__all__ = ["reference"]
