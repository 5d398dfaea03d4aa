"""The settings of single plug-ins and of what runs networks.

Owns names, ranges and defaults; `matcher.config` puts them in their places.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from matcher.settings import Settings

__all__ = ["ArcFaceConfig", "DlibHogConfig", "RuntimeConfig"]


class RuntimeConfig(Settings):
    """What runs a network, and on how many threads (`matcher.runtime`)."""

    name: Literal["onnxruntime", "cuda", "openvino"] = Field(
        default="onnxruntime",
        description="onnxruntime on the CPU; cuda, its provider for NVIDIA GPUs, "
        "which needs the package onnxruntime-gpu; openvino, an extra.",
    )
    threads: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Threads within one network. Two were slower than one: run more "
        "workers instead.",
    )


class ArcFaceConfig(Settings):
    """How an ArcFace-style network wants its pixels (`matcher.embedders`)."""

    mean: float = Field(default=127.5, description="Subtracted from each pixel.")
    deviation: float = Field(default=127.5, gt=0.0, description="Divides what is left.")
    order: Literal["rgb", "bgr"] = Field(
        default="rgb", description="Which colour comes first."
    )


class DlibHogConfig(Settings):
    """How dlib's detector looks (`matcher.detectors.dlib_hog`)."""

    upsample: int = Field(
        default=1,
        ge=0,
        le=3,
        description="Times the view is doubled first; once, as `face_recognition` "
        "does, finds faces from 40 px of the view at four times the work.",
    )
