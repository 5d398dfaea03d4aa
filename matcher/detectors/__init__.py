"""The detectors, one a module; importing this package registers them."""

from matcher.detectors import dlib_hog, reference, yunet

__all__ = ["dlib_hog", "reference", "yunet"]
