"""Figures drawn by a graphics card, through EGL: no window, no display.

Owns the card's memory: a sheet of four samples a pixel on which one figure is drawn at
a time, and a plate that gathers them, near ones first. It draws what `figure.py` draws,
within the tolerance that `tests/test_gl.py` states. Knows nothing of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.errors import GraphicsError
from synthetic_crowds.raster.gl_shaders import FIGURE, LAYING, SQUARE
from synthetic_crowds.raster.rasteriser import lamps_of

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from synthetic_crowds.raster.figure import Figure, Rect, View
    from synthetic_crowds.raster.rasteriser import Light

__all__ = ["GlCanvas", "check_card"]

_GL_VERSION = 430
_SAMPLES = 2
_MOST_VERTICES = 1 << 16
# People in view and some who have left; their meshes and textures stay on the card.
_MOST_FIGURES = 200
_ALPHA_BITS = np.uint64(48)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Upload:
    """What the card holds of a figure, which is kept so that its id stays its own."""

    figure: Figure
    texels: moderngl.Buffer
    triangles: moderngl.Buffer
    corners: moderngl.Buffer
    mesh: moderngl.VertexArray

    def release(self) -> None:
        for held in (self.mesh, self.corners, self.texels, self.triangles):
            held.release()


class GlCanvas:
    """A plate on a graphics card.

    Args:
        width_px: Of the picture.
        height_px: Of the picture.
        rim_px: Room around it.

    Raises:
        GraphicsError: If moderngl is not installed, or the machine has no EGL with
            OpenGL 4.3.
    """

    def __init__(self, width_px: int, height_px: int, *, rim_px: int) -> None:
        try:
            # An extra: most machines draw with their processors.
            import moderngl as gl  # noqa: PLC0415

            self._card = gl.create_context(
                require=_GL_VERSION,
                standalone=True,
                backend="egl",  # type: ignore[arg-type] # of any type, its code says
            )
        except Exception as error:
            # What is below raises whatever its drivers do.
            raise GraphicsError(str(error)) from error
        self._gl = gl
        card, self._rim_px = self._card, rim_px
        self._size = width_px + 2 * rim_px, height_px + 2 * rim_px
        fine = self._size[0] * _SAMPLES, self._size[1] * _SAMPLES
        self._lit = card.texture(fine, 4, dtype="f4")
        self._sheet = card.framebuffer([self._lit], card.depth_texture(fine))
        self._gathered = card.texture(self._size, 4, dtype="f4")
        self._plate = card.framebuffer([self._gathered])
        self._tile = card.framebuffer([card.texture(self._size, 4, dtype="f4")])
        self._scenery = card.texture((width_px, height_px), 1, dtype="f4")
        self._scenery_m: NDArray[np.float32] | None = None
        self._corners = card.buffer(reserve=32 * _MOST_VERTICES, dynamic=True)
        self._nears = card.buffer(reserve=4 * _MOST_VERTICES, dynamic=True)
        self._parts = card.buffer(reserve=44 * 256, dynamic=True)
        self._drawing = card.program(*FIGURE)
        self._drawing["extent_px"] = self._size
        self._drawing["rim_px"] = float(rim_px)
        self._laying = card.program(SQUARE, LAYING)
        self._laying["rim_px"] = rim_px
        self._laying["sheet"], self._laying["scenery"] = 0, 1
        corners = np.array([-1, -1, 1, -1, -1, 1, 1, 1], np.float32)
        self._square = card.vertex_array(
            self._laying, [(card.buffer(corners.tobytes()), "2f", "in_corner")]
        )
        self._uploads: dict[int, _Upload] = {}

    @property
    def card(self) -> str:
        """The name of what draws."""
        return str(self._card.info["GL_RENDERER"])

    def release(self) -> None:
        """Give the card's memory back; nothing can be drawn any more."""
        self._card.release()

    def start(self, scenery_m: NDArray[np.float32]) -> None:
        """Empty the plate before a street (h, w), metres."""
        if self._scenery_m is not scenery_m:
            self._scenery.write(np.ascontiguousarray(scenery_m).tobytes())
            self._scenery_m = scenery_m
        self._plate.clear(viewport=(0, 0, *self._size))

    def draw(
        self,
        figure: Figure,
        view: View,
        rect: Rect,
        *,
        px_per_m: float,
        light: Light,
        viewer: NDArray[np.floating],
    ) -> None:
        """Draw a figure on the empty sheet.

        Args:
            figure: The mesh.
            view: From `figure.look_at`.
            rect: Pixels of the frame; the rest of the sheet is left as it is.
            px_per_m: Scale of the figure on the image.
            light: In camera space.
            viewer: (3,) from the figure to the lens, camera space.
        """
        upload = self._uploaded(figure)
        self._corners.write(view.corners)
        self._nears.write(view.inverse)
        self._parts.write(_parts_of(figure, px_per_m * _SAMPLES))
        for binding, held in enumerate((upload.texels, upload.triangles, self._parts)):
            held.bind_to_storage_buffer(binding)
        self._drawing["nearness"] = view.inverse.min(), view.inverse.max()
        self._drawing["lamps"] = lamps_of(light, viewer).tolist()
        x, y, width, height = self._box(rect)
        self._sheet.use()
        self._sheet.scissor = 2 * x, 2 * y, 2 * width, 2 * height
        self._sheet.clear(viewport=self._sheet.scissor)
        self._card.enable_only(self._gl.DEPTH_TEST)
        self._card.front_face = "cw"
        upload.mesh.render()

    def owners(self, rect: Rect) -> NDArray[np.int32]:
        """What each sample of a rectangle sees: as `figure.expose_samples` says."""
        x, y, width, height = self._box(rect)
        raw = self._sheet.read(
            viewport=(2 * x, 2 * y, 2 * width, 2 * height),
            components=4, dtype="f4", alignment=1,
        )  # fmt: skip
        samples = np.frombuffer(raw, np.float32).reshape(2 * height, 2 * width, 4)
        return samples[..., 3].astype(np.int32)

    def lay(self, rect: Rect, *, hidden_by_m: float) -> None:
        """Lay a rectangle of the sheet behind what is on the plate."""
        self._card.enable_only(self._gl.BLEND)
        self._card.blend_func = self._gl.ONE_MINUS_DST_ALPHA, self._gl.ONE
        self._lay_on(self._plate, rect, hidden_by_m)

    def tile(self, rect: Rect, *, hidden_by_m: float) -> NDArray[np.float32]:
        """Fetch a rectangle of the sheet, (h, w, 4) premultiplied, lit pixels only."""
        self._card.enable_only(self._gl.NOTHING)
        self._tile.clear(viewport=self._box(rect))
        self._lay_on(self._tile, rect, hidden_by_m)
        return self._read(self._tile, rect)

    def plate(self, rect: Rect) -> NDArray[np.float32]:
        """Fetch a rectangle of the plate, (h, w, 4) premultiplied."""
        return self._read(self._plate, rect)

    def put(self, rect: Rect, light: NDArray[np.float32]) -> None:
        """Replace a rectangle of the plate by light (h, w, 4)."""
        self._gathered.write(
            np.ascontiguousarray(light).tobytes(), viewport=self._box(rect)
        )

    def _lay_on(
        self, target: moderngl.Framebuffer, rect: Rect, hidden_by_m: float
    ) -> None:
        self._laying["hidden_by_m"] = hidden_by_m
        self._lit.use(0)
        self._scenery.use(1)
        target.use()
        target.scissor = self._box(rect)
        self._square.render(self._gl.TRIANGLE_STRIP)

    def _read(self, target: moderngl.Framebuffer, rect: Rect) -> NDArray[np.float32]:
        x, y, width, height = self._box(rect)
        raw = target.read(
            viewport=(x, y, width, height), components=4, dtype="f4", alignment=1
        )
        return np.frombuffer(raw, np.float32).reshape(height, width, 4)

    def _box(self, rect: Rect) -> tuple[int, int, int, int]:
        """Left, top, width and height on the plate."""
        height, width = rect.shape
        return rect.left + self._rim_px, rect.top + self._rim_px, width, height

    def _uploaded(self, figure: Figure) -> _Upload:
        """Bring a figure's mesh and textures to the card, once."""
        held = self._uploads.pop(id(figure), None)
        if held is None:
            if len(self._uploads) == _MOST_FIGURES:
                self._uploads.pop(next(iter(self._uploads))).release()
            held = self._upload(figure)
        # Whoever was drawn last is forgotten last.
        self._uploads[id(figure)] = held
        return held

    def _upload(self, figure: Figure) -> _Upload:
        card, paint = self._card, figure.paint
        texels = paint.texels.copy()
        alpha = paint.alpha.astype(np.uint64) * np.uint64(257)
        texels[: len(alpha)] |= alpha << _ALPHA_BITS
        parts = figure.triangles[:, 3].astype(np.uint32)
        corners = card.buffer(figure.triangles[:, :3].astype(np.uint32).tobytes())
        mesh = card.vertex_array(
            self._drawing,
            [
                (
                    self._corners, "2f 3f 2f 1f",
                    "in_place", "in_normal", "in_uv", "in_sees",
                ),
                (self._nears, "1f", "in_near"),
            ],
            index_buffer=corners,
        )  # fmt: skip
        return _Upload(
            figure=figure,
            texels=card.buffer(texels.tobytes()),
            triangles=card.buffer(
                (parts | figure.kinds.astype(np.uint32) << 8).tobytes()
            ),
            corners=corners,
            mesh=mesh,
        )


def check_card() -> None:
    """Make sure that this machine draws.

    Raises:
        GraphicsError: If it does not.
    """
    GlCanvas(8, 8, rim_px=0).release()


def _parts_of(figure: Figure, lookups_per_m: float) -> NDArray[np.float32]:
    """What light needs of each part, (p, 11), as the shader reads it."""
    paint = figure.paint
    most = paint.sheets.shape[1] - 1
    finer = np.maximum(paint.texels_per_m / lookups_per_m, 1.0)
    halvings = np.minimum(np.log2(finer).astype(int), most)
    rows = np.arange(len(paint.sheets))
    # Offset, height, width: last comes first.
    lit, whole = paint.sheets[rows, halvings, ::-1], paint.sheets[:, 0, ::-1]
    return np.hstack(
        (paint.finish, paint.doublings[:, None], lit, whole), dtype=np.float32,
        casting="unsafe",
    )  # fmt: skip
