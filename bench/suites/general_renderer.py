"""Heads drawn by a general renderer: panda3d's own software rasteriser.

Owns the way from a seated head to panda3d's scene and back to a picture: same meshes,
same textures, a light like ours, four samples a pixel. It knows no light that bleeds
past the terminator and no occlusion, so its pictures are like ours, not the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from panda3d.core import (
    AmbientLight,
    Camera,
    DirectionalLight,
    FrameBufferProperties,
    Geom,
    GeomNode,
    GeomTriangles,
    GeomVertexData,
    GeomVertexFormat,
    GraphicsEngine,
    GraphicsOutput,
    GraphicsPipe,
    GraphicsPipeSelection,
    LMatrix4,
    NodePath,
    PerspectiveLens,
    Texture,
    TransparencyAttrib,
    WindowProperties,
    load_prc_file_data,
)

from synthetic_crowds.raster.rasteriser import FACING_CAMERA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.picture.portraits import Sitter
    from synthetic_crowds.records import MeshPart

__all__ = ["GeneralRenderer"]

_MODULE = "p3tinydisplay"
_SAMPLES = 2
# From our camera's axes (right, down, ahead) to panda3d's (right, ahead, up).
_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


class GeneralRenderer:
    """A scene with one light and one camera.

    Args:
        side_px: Of its square pictures.
    """

    def __init__(self, side_px: int) -> None:
        # It would try an X display first, and say that there is none.
        load_prc_file_data("", "notify-level-x11display fatal")
        self._engine = GraphicsEngine.get_global_ptr()
        pipe = GraphicsPipeSelection.get_global_ptr().make_module_pipe(_MODULE)
        wanted = FrameBufferProperties()
        wanted.set_rgba_bits(8, 8, 8, 8)
        wanted.set_depth_bits(24)
        side = side_px * _SAMPLES
        self._buffer = self._engine.make_output(
            pipe, "heads", 0, wanted, WindowProperties.size(side, side),
            GraphicsPipe.BF_refuse_window,
        )  # fmt: skip
        self._picture = Texture()
        self._buffer.add_render_texture(self._picture, GraphicsOutput.RTM_copy_ram)
        self._scene = NodePath("scene")
        self._lens = PerspectiveLens()
        self._lens.set_near_far(0.05, 10.0)
        camera = self._scene.attach_new_node(Camera("camera", self._lens))
        self._buffer.make_display_region().set_camera(camera)
        ambient, key = AmbientLight("sky"), DirectionalLight("key")
        ambient.set_color((0.4, 0.4, 0.4, 1.0))
        key.set_color((0.6, 0.6, 0.6, 1.0))
        key.set_direction((0.4, 0.8, -0.5))
        for light in (ambient, key):
            self._scene.set_light(self._scene.attach_new_node(light))
        self._shoulders = self._scene.attach_new_node("shoulders")
        self._head = self._scene.attach_new_node("head")

    def seat(self, sitter: Sitter) -> None:
        """Put somebody's head and shoulders in place of the last one's."""
        for node, parts in (
            (self._shoulders, sitter.shoulders),
            (self._head, sitter.head.parts),
        ):
            node.get_children().detach()
            for part in parts:
                drawn = node.attach_new_node(_node_of(part))
                drawn.set_texture(_texture_of(part.texture_bgra))
                drawn.set_two_sided(True)
                if part.texture_bgra[..., 3].min() < np.iinfo(np.uint8).max:
                    drawn.set_transparency(TransparencyAttrib.M_binary)

    def render(
        self,
        turned: NDArray[np.float64],
        translation_m: NDArray[np.float64],
        *,
        focal_px: float,
    ) -> NDArray[np.uint8]:
        """Take a picture.

        Args:
            turned: (3, 3), from the head's frame to our camera's.
            translation_m: (3,), the head's origin in our camera's frame.
            focal_px: Of the lens.

        Returns:
            (side, side, 3) uint8, B, G, R.
        """
        half_px = self._buffer.get_x_size() / _SAMPLES / 2.0
        self._lens.set_fov(math.degrees(2.0 * math.atan(half_px / focal_px)))
        self._shoulders.set_mat(_matrix(FACING_CAMERA, translation_m))
        self._head.set_mat(_matrix(turned, translation_m))
        self._engine.render_frame()
        drawn = np.frombuffer(self._picture.get_ram_image(), np.uint8)
        side = self._buffer.get_x_size()
        upright = drawn.reshape(side, side, -1)[::-1, :, :3]
        small = (side // _SAMPLES, side // _SAMPLES)
        return np.asarray(
            cv2.resize(upright, small, interpolation=cv2.INTER_AREA), np.uint8
        )


def _matrix(
    rotation: NDArray[np.float64], translation_m: NDArray[np.float64]
) -> LMatrix4:
    matrix = np.eye(4)
    # Points are rows for panda3d.
    matrix[:3, :3] = (_AXES @ rotation).T
    matrix[3, :3] = _AXES @ translation_m
    return LMatrix4(*matrix.ravel().tolist())


def _node_of(part: MeshPart) -> GeomNode:
    corners = np.column_stack((part.vertices, part.normals, part.uv))
    # Its textures begin below.
    corners[:, 7] = 1.0 - corners[:, 7]
    data = GeomVertexData("part", GeomVertexFormat.get_v3n3t2(), Geom.UH_static)
    data.unclean_set_num_rows(len(corners))
    room = memoryview(data.modify_array(0)).cast("B")
    room[:] = np.ascontiguousarray(corners, np.float32).tobytes()
    triangles = GeomTriangles(Geom.UH_static)
    triangles.set_index_type(Geom.NT_uint32)
    indices = triangles.modify_vertices()
    indices.unclean_set_num_rows(part.triangles.size)
    memoryview(indices).cast("B")[:] = part.triangles.astype(np.uint32).tobytes()
    geometry = Geom(data)
    geometry.add_primitive(triangles)
    node = GeomNode("part")
    node.add_geom(geometry)
    return node


def _texture_of(image_bgra: NDArray[np.uint8]) -> Texture:
    """Its pixels, enlarged to powers of two, which the software renderer asks for."""
    height, width = (1 << (side - 1).bit_length() for side in image_bgra.shape[:2])
    image_bgra = np.asarray(cv2.resize(image_bgra, (width, height)), np.uint8)
    texture = Texture()
    texture.setup_2d_texture(width, height, Texture.T_unsigned_byte, Texture.F_rgba)
    texture.set_ram_image(np.ascontiguousarray(image_bgra[::-1]).tobytes())
    return texture
