"""Doubles of a dressed person in less and less detail, for the distance they stand at.

Owns which triangles each level of detail keeps. The thinning of skin and suit is found
once on the average mesh and shared by everybody. Knows nothing of cameras.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.bodies.body_basis import Surface, body_basis
from synthetic_crowds.bodies.skeleton import Bone
from synthetic_crowds.heads.build import skin_template
from synthetic_crowds.heads.neck import neck_share
from synthetic_crowds.raster.coarse import Thinning, thinning_of, top_down, whole
from synthetic_crowds.raster.figure import Figure, merge, paint_of, points_of
from synthetic_crowds.records import MeshPart
from synthetic_crowds.street.shadows import Outline
from synthetic_crowds.street.silhouettes import borders_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.bodies.build import Body
    from synthetic_crowds.heads.build import Head

__all__ = ["LEVEL_BELOW_PX", "Double", "double_up", "outline_of"]

# Faces lower than this, pixels, are drawn with the level of the same place; others
# with the first. Cells are about a pixel and a half at the upper end of each level.
LEVEL_BELOW_PX = (np.inf, 56.0, 28.0)
_HEAD_CELLS_M = (0.0, 0.005, 0.009)
_BODY_CELLS_M = (0.010, 0.016, 0.030)
# Shadows are soft: their outline needs no detail.
_HEAD_OUTLINE_M, _BODY_OUTLINE_M = 0.03, 0.045
# The inside of cloth shows this far from a hem or collar at most.
_RIM_M = 0.08
# Parts with fewer triangles add nothing to an outline, and nothing is won by
# thinning them.
_DETAIL = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Double:
    """A person at one level of detail; vertices of the body first.

    Attributes:
        figure: Body and head, merged.
        n_body_triangles: The body's, which are first.
        rest_m, rest_normals: (b, 3) float32, of the body.
        bones: (b, 5) uint8.
        weights: (b, 5) float32.
        head: (7, h) float32 from `points_of`, head's frame; held back by the body.
    """

    figure: Figure
    n_body_triangles: int
    rest_m: NDArray[np.float32]
    rest_normals: NDArray[np.float32]
    bones: NDArray[np.uint8]
    weights: NDArray[np.float32]
    head: NDArray[np.float32]


def double_up(head: Head, body: Body) -> tuple[Double, ...]:
    """Make a person's doubles, the most detailed first."""
    rest = body.rest_parts()
    paint = paint_of((*rest, *head.parts))
    shares = [neck_share(head.parts[0].vertices)]
    shares += [np.zeros(len(part.vertices), np.float32) for part in head.parts[1:]]
    doubles = []
    for head_cell_m, body_cell_m in zip(_HEAD_CELLS_M, _BODY_CELLS_M, strict=True):
        on_body = [_of_surface(surface, body_cell_m) for surface in body.surfaces]
        skin = _of_skin(head_cell_m)
        others = [
            top_down(whole(len(p.vertices), p.triangles), p.vertices)
            for p in head.parts[1:]
        ]
        parts = tuple(t.of(p) for t, p in zip((skin, *others), head.parts, strict=True))
        bodies = [thin.of(part) for thin, part in zip(on_body, rest, strict=True)]
        shut = [thin.closed for thin in (*on_body, skin)]
        shut += [np.zeros(len(p.triangles), np.bool_) for p in head.parts[1:]]
        figure = merge((*bodies, *parts), paint, shut)
        points = _points(body, on_body)
        doubles.append(
            Double(
                figure=figure,
                n_body_triangles=int(figure.starts[len(bodies)]),
                rest_m=body.rest_m[points],
                rest_normals=body.rest_normals[points],
                bones=body.bones[points],
                weights=body.weights[points],
                head=points_of(
                    np.concatenate([part.vertices for part in parts]),
                    np.concatenate([part.normals for part in parts]),
                    np.concatenate([shares[0][skin.kept], *shares[1:]]),
                ),
            )
        )
    return tuple(doubles)


def outline_of(head: Head, body: Body) -> Outline:
    """Find what of a person casts a shadow: the larger surfaces, coarsely.

    Eyes and spectacles lie inside the rest's outline. The body's bones are followed by
    two more: the head, and the neck, which stands there as the head does but keeps to
    the body.
    """
    on_body = [
        _of_surface(surface, _BODY_OUTLINE_M, seams=False) for surface in body.surfaces
    ]
    skin = head.parts[0]
    on_head = [_of_skin(_HEAD_OUTLINE_M, seams=False)]
    others = [part for part in head.parts[1:] if len(part.triangles) > _DETAIL]
    on_head += [
        thinning_of(replace(part, uv=np.zeros_like(part.uv)), cell_m=_HEAD_OUTLINE_M)
        for part in others
    ]
    shapes = [part.vertices for part in (skin, *others)]
    head_m = np.concatenate(
        [shape[thin.kept] for shape, thin in zip(shapes, on_head, strict=True)]
    )
    share = neck_share(skin.vertices[on_head[0].kept])
    points = _points(body, on_body)
    n_body, n_slots = len(points), body.bones.shape[1]
    bones = np.zeros((n_body + len(head_m), n_slots), np.uint8)
    weights = np.zeros(bones.shape, np.float32)
    bones[:n_body], weights[:n_body] = body.bones[points], body.weights[points]
    bones[n_body:, :2] = len(Bone), len(Bone) + 1
    weights[n_body : n_body + len(share), 1] = share
    weights[n_body:, 0] = 1.0 - weights[n_body:, 1]
    heaviest = np.argsort(-weights, axis=1, kind="stable")
    weights = np.take_along_axis(weights, heaviest, axis=1)
    triangles = _joined([(t.triangles, len(t.kept)) for t in (*on_body, *on_head)])
    return Outline(
        rest_m=np.concatenate([body.rest_m[points], head_m]),
        bones=np.take_along_axis(bones, heaviest, axis=1),
        weights=np.rint(255.0 * weights).astype(np.uint8),
        triangles=triangles,
        borders=borders_of(triangles),
    )


def _points(body: Body, on_body: list[Thinning]) -> NDArray[np.int32]:
    """The body's point behind each vertex that its doubles keep."""
    return np.concatenate(
        [
            surface.source[thin.kept]
            for surface, thin in zip(body.surfaces, on_body, strict=True)
        ]
    )


def _joined(meshes: list[tuple[NDArray[np.int32], int]]) -> NDArray[np.uint16]:
    """Number triangles of meshes with so many vertices on from mesh to mesh."""
    starts = np.cumsum([0, *(count for _, count in meshes)])
    joined = [t + s for (t, _), s in zip(meshes, starts[:-1], strict=True)]
    return np.concatenate(joined).astype(np.uint16)


def _of_surface(surface: Surface, cell_m: float, *, seams: bool = True) -> Thinning:
    """Thin suit and skirt; bags and hoods stay as they are."""
    basis = body_basis()
    if surface is basis.body:
        return _of_cloth(cell_m, skirt=False, seams=seams)
    if surface is basis.skirt:
        return _of_cloth(cell_m, skirt=True, seams=seams)
    return whole(len(surface.source), surface.triangles)


@lru_cache(maxsize=16)
def _of_cloth(cell_m: float, *, skirt: bool, seams: bool) -> Thinning:
    """Thin a surface of the average body."""
    basis = body_basis()
    surface = basis.skirt if skirt else basis.body
    uv = surface.uv if seams else np.zeros_like(surface.uv)
    mesh = _bare(basis.mean_m[surface.source], surface.triangles, uv)
    return top_down(thinning_of(mesh, cell_m=cell_m, rim_m=_RIM_M), mesh.vertices)


@lru_cache(maxsize=16)
def _of_skin(cell_m: float, *, seams: bool = True) -> Thinning:
    """Thin the average head's skin."""
    vertices, triangles, uv = skin_template()
    if not seams:
        uv = np.zeros_like(uv)
    # The only rim, the foot of the neck, is in the collar.
    thin = thinning_of(_bare(vertices, triangles, uv), cell_m=cell_m, rim_m=0.0)
    return top_down(thin, vertices)


def _bare(
    vertices: NDArray[np.float32],
    triangles: NDArray[np.int32],
    uv: NDArray[np.float32],
) -> MeshPart:
    """A mesh without a look."""
    return MeshPart(
        vertices=vertices.copy(),
        normals=np.zeros_like(vertices),
        triangles=triangles,
        uv=uv,
        texture_bgra=np.zeros((1, 1, 4), np.uint8),
        occlusion=np.ones(len(vertices), np.float32),
    )
