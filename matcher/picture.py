"""The picture of a frame, in whichever form a stage looks at it.

Owns the ways from what a decoder left to what is looked at: a small view to search for
faces, luma to grade them by, the whole picture to cut chips from. Each is made when it
is first asked for and no sooner: most frames are only searched, and for those the
large picture is never converted. Knows nothing of faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray

__all__ = ["ColourPicture", "Converter", "DecodedPicture", "Picture", "shrink"]

# The planes of a swscale "gbrp" picture, in the order B, G, R.
_PLANES_BGR = (1, 0, 2)
# Pictures whose first plane is luma, a byte a pixel.
_LUMA_FORMATS = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "nv12"})


class Picture(Protocol):
    """What stages ask of a picture."""

    @property
    def image_bgr(self) -> NDArray[np.uint8]:
        """The whole picture: (h, w, 3) uint8."""
        ...

    @property
    def luma(self) -> NDArray[np.uint8]:
        """Its brightness: (h, w) uint8, to be read only."""
        ...

    def shrunk(self, *, width_px: int) -> tuple[NDArray[np.uint8], float]:
        """Shrink the picture to a width; a narrower one stays as it is.

        Returns:
            The view, (h, w, 3) uint8 in BGR, of any layout in memory, and how many
            pixels of the picture one of its pixels spans.
        """
        ...


class ColourPicture:
    """A picture that is there in colours.

    Args:
        image_bgr: (h, w, 3) uint8.
    """

    def __init__(self, image_bgr: NDArray[np.uint8]) -> None:
        self.image_bgr = image_bgr
        self._luma: NDArray[np.uint8] | None = None

    @property
    def luma(self) -> NDArray[np.uint8]:
        """Its brightness: (h, w) uint8."""
        if self._luma is None:
            grey = cv2.cvtColor(self.image_bgr, cv2.COLOR_BGR2GRAY)
            self._luma = np.asarray(grey, np.uint8)
        return self._luma

    def shrunk(self, *, width_px: int) -> tuple[NDArray[np.uint8], float]:
        """Shrink the picture to a width; a narrower one stays as it is."""
        return shrink(self.image_bgr, width_px=width_px)


class Converter:
    """Turns the pictures of one camera into colours, small or whole.

    Kept from frame to frame, since the tables of a conversion take longer to set up
    than to use.
    """

    def __init__(self) -> None:
        self._whole = VideoReformatter()
        self._small = VideoReformatter()

    def whole(self, decoded: av.VideoFrame) -> NDArray[np.uint8]:
        """Convert all of a picture: (h, w, 3) uint8, BGR."""
        image_bgr = self._whole.reformat(decoded, format="bgr24").to_ndarray()
        return image_bgr.astype(np.uint8, copy=False)

    def shrunk(
        self, decoded: av.VideoFrame, *, width_px: int, height_px: int
    ) -> NDArray[np.uint8]:
        """Shrink and convert in one pass: (h, w, 3) uint8, BGR, plane by plane."""
        small = self._small.reformat(
            decoded,
            width=width_px,
            height=height_px,
            format="gbrp",
            interpolation="AREA",
        )
        planes = np.empty((3, height_px, width_px), np.uint8)
        for plane, source in zip(planes, _PLANES_BGR, strict=True):
            plane[:] = _plane(small, source, width_px=width_px)
        return planes.transpose(1, 2, 0)


class DecodedPicture:
    """A picture as a codec left it.

    Args:
        decoded: The codec's frame.
        converter: Of its camera.
    """

    def __init__(self, decoded: av.VideoFrame, converter: Converter) -> None:
        self._decoded = decoded
        self._converter = converter
        self._image_bgr: NDArray[np.uint8] | None = None

    @property
    def image_bgr(self) -> NDArray[np.uint8]:
        """The whole picture: (h, w, 3) uint8."""
        if self._image_bgr is None:
            self._image_bgr = self._converter.whole(self._decoded)
        return self._image_bgr

    @property
    def luma(self) -> NDArray[np.uint8]:
        """Its brightness, the codec's own plane: (h, w) uint8, never copied."""
        if self._decoded.format.name not in _LUMA_FORMATS:
            return ColourPicture(self.image_bgr).luma
        return _plane(self._decoded, 0, width_px=self._decoded.width)

    def shrunk(self, *, width_px: int) -> tuple[NDArray[np.uint8], float]:
        """Shrink the picture to a width; a narrower one stays as it is."""
        scale = self._decoded.width / width_px
        if scale <= 1.0:
            return self.image_bgr, 1.0
        height_px = max(1, round(self._decoded.height / scale))
        view = self._converter.shrunk(
            self._decoded, width_px=width_px, height_px=height_px
        )
        return view, scale


def shrink(
    image_bgr: NDArray[np.uint8], *, width_px: int
) -> tuple[NDArray[np.uint8], float]:
    """Shrink an image to a width; a narrower one stays as it is.

    Returns:
        The view, and how many pixels of the image one of its pixels spans.
    """
    height, width = image_bgr.shape[:2]
    if width <= width_px:
        return image_bgr, 1.0
    scale = width / width_px
    view = np.empty((max(1, round(height / scale)), width_px, 3), np.uint8)
    cv2.resize(image_bgr, view.shape[1::-1], view, interpolation=cv2.INTER_AREA)
    return view, scale


def _plane(decoded: av.VideoFrame, plane: int, *, width_px: int) -> NDArray[np.uint8]:
    """View one plane of a codec's frame, without the padding of its rows."""
    held = decoded.planes[plane]
    rows = np.frombuffer(memoryview(held), np.uint8)
    rows.setflags(write=False)
    return rows.reshape(held.height, held.line_size)[:, :width_px]
