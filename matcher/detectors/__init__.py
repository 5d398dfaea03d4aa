"""The detectors, one a module; importing this package registers them."""

from matcher.detectors import reference, yunet

__all__ = ["reference", "yunet"]
