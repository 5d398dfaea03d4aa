"""The embedders, one a module; importing this package registers them."""

from matcher.embedders import arcface_onnx, dlib_resnet, reference, sface

__all__ = ["arcface_onnx", "dlib_resnet", "reference", "sface"]
