"""Builds heads: a person on one day, as textured triangles with landmarks.

Owns the assembly of skin, eyes, hair and what is worn, and where landmarks and the
face's outline lie on them. Knows nothing of cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import blend, load_head_basis, smooth_normals
from synthetic_crowds.heads.atlas import FACE_UNROLL, unroll
from synthetic_crowds.heads.beards import beard_cover, paint_beard
from synthetic_crowds.heads.brows import paint_brows
from synthetic_crowds.heads.eyes import build_eyes
from synthetic_crowds.heads.face_canvas import EYE_M, MOUTH_Y_M, load_face_canvas
from synthetic_crowds.heads.glasses import build_glasses
from synthetic_crowds.heads.hair import build_hair, paint_scalp
from synthetic_crowds.heads.masks import build_mask
from synthetic_crowds.heads.morphs import morph_weights
from synthetic_crowds.heads.skin import paint_skin
from synthetic_crowds.heads.strands import hair_colour
from synthetic_crowds.people.person import BeardStyle, FaceMask
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance, Person

__all__ = ["Head", "build_head", "skin_template"]

_SKIN_SPECULAR = 0.16
_NOSE_TIP_M = (0.0, 0.0025, 0.1152)
_MOUTH_CORNER_M = (0.0228, -0.0287, 0.0905)
_EAR_REST_M = (0.0750, 0.0420, 0.0150)
# The face: below the hairline, above the throat, before the ears.
_FACE_TOP_M, _FACE_BOTTOM_M, _FACE_BACK_M = 0.1130, -0.0705, 0.025
_NECK_Y_M = -0.092
_LEAN = 0.45
_NARROWS, _NARROWS_WITHIN_M = 0.34, 0.030
_BEARDS_WITH_BODY = frozenset({BeardStyle.FULL, BeardStyle.SHORT, BeardStyle.GOATEE})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """A head in its local frame, origin at the joint of head and neck.

    Attributes:
        parts: Skin first, then eyes, hair and what is worn.
        landmarks: (5, 3) float32, metres, in the order of `records.LANDMARKS`.
        outline: (m, 3) float32; the bounding box of their projection is the box of
            the face, hairline to chin and temple to temple.
        neck_radius_m: Mean radius of the neck.
        neck_root_m: (3,) float32, the joint between the shoulders.
    """

    parts: tuple[MeshPart, ...]
    landmarks: NDArray[np.float32]
    outline: NDArray[np.float32]
    neck_radius_m: float
    neck_root_m: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.landmarks.setflags(write=False)
        self.outline.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Places:
    """Fixed vertices of the template that stand for named places."""

    uv: NDArray[np.float32]
    eyes: NDArray[np.int64]
    points: NDArray[np.int64]
    ears: NDArray[np.int64]
    outline: NDArray[np.int64]
    neck: NDArray[np.int64]
    throat: NDArray[np.int64]
    lens: NDArray[np.int64]


@lru_cache(maxsize=1)
def _load_places() -> _Places:
    basis = load_head_basis()
    skin, eyes = basis.template_m[: basis.n_skin], basis.template_m[basis.n_skin :]

    def nearest(x: float, y: float, z: float) -> int:
        return int(np.linalg.norm(skin - np.array([x, y, z]), axis=1).argmin())

    # The visible pole of each eyeball: it lies between the lids.
    poles = []
    for side in (-1.0, 1.0):
        pole = np.array([side * EYE_M[0], EYE_M[1], eyes[:, 2].max()])
        order = np.argsort(np.linalg.norm(eyes - pole, axis=1), kind="stable")
        poles.append(basis.n_skin + order[:6])
    mouth = _MOUTH_CORNER_M
    points = [
        nearest(*_NOSE_TIP_M),
        nearest(-mouth[0], *mouth[1:]),
        nearest(*mouth),
    ]
    in_face = (
        (skin[:, 1] < _FACE_TOP_M)
        & (skin[:, 1] > _FACE_BOTTOM_M)
        & (skin[:, 2] > _FACE_BACK_M)
        & (np.abs(skin[:, 0]) < 0.0735)
    )
    face = np.flatnonzero(in_face)
    chosen: set[int] = set()
    for yaw in np.radians(np.arange(-90, 91, 15)):
        sideways = skin[face, 0] * np.cos(yaw) - skin[face, 2] * np.sin(yaw)
        for turn in np.radians(np.arange(0, 360, 15)):
            reach = sideways * np.cos(turn) + skin[face, 1] * np.sin(turn)
            chosen.add(int(face[reach.argmax()]))
    ear = _EAR_REST_M
    neck = np.flatnonzero(np.abs(skin[:, 1] - _NECK_Y_M) < 0.006)
    return _Places(
        uv=unroll(skin, FACE_UNROLL, right_of_seam=basis.right_of_seam),
        eyes=np.stack(poles),
        points=np.array(points),
        ears=np.array([nearest(-ear[0], *ear[1:]), nearest(*ear)]),
        outline=np.array(sorted(chosen)),
        neck=neck,
        throat=np.flatnonzero(skin[:, 1] < _NECK_Y_M),
        lens=np.flatnonzero(
            (np.abs(skin[:, 0]) < 0.050)
            & (skin[:, 1] > 0.034)
            & (skin[:, 1] < 0.064)
            & (skin[:, 2] > 0.05)
        ),
    )


def skin_template() -> tuple[
    NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]
]:
    """The average head's skin: vertices (v, 3), triangles (t, 3), texture (v, 2)."""
    basis = load_head_basis()
    return basis.template_m[: basis.n_skin], basis.skin_triangles, _load_places().uv


def build_head(
    person: Person, appearance: Appearance, *, texture_px: int = 256
) -> Head:
    """Build one head.

    Args:
        person: Bones, skin and hair.
        appearance: The day's look.
        texture_px: Side of the skin's texture; 256 serves faces up to 100 pixels
            high, 128 half of that at a quarter of the price.

    Returns:
        The head; equal arguments give equal bytes.
    """
    basis, places = load_head_basis(), _load_places()
    canvas = load_face_canvas(texture_px)
    vertices, neck_root = blend(basis, morph_weights(person, appearance))
    _straighten_neck(vertices, neck_root)
    skin, eyes = vertices[: basis.n_skin], vertices[basis.n_skin :]
    normals = smooth_normals(skin, basis.skin_triangles, basis.weld)
    if person.beard.style in _BEARDS_WITH_BODY:
        skin = skin + normals * _beard_growth_m(person)[:, None]
        normals = smooth_normals(skin, basis.skin_triangles, basis.weld)

    image = paint_skin(person, appearance, canvas)
    hair = hair_colour(person)
    paint_scalp(image, person, appearance, canvas)
    paint_beard(image, person.beard, appearance, canvas, colour_bgr=hair * 0.85)
    # Brows must show on the darkest skin: there they are black.
    deep = float(np.clip((person.skin.tone - 5.0) / 4.0, 0.0, 0.6))
    brow = hair * (1.0 - max(0.7 * person.brows.darkness, deep))
    paint_brows(image, person.brows, canvas, colour_bgr=np.minimum(brow, 120.0))
    texture = np.full((texture_px, texture_px, 4), 255, np.uint8)
    texture[..., :3] = np.clip(image + 0.5, 0.0, 255.0).astype(np.uint8)

    eye_triangles = basis.eye_triangles - basis.n_skin
    eye_weld = np.arange(len(eyes), dtype=np.int32)
    parts = [
        MeshPart(
            vertices=skin,
            normals=normals,
            triangles=basis.skin_triangles,
            uv=places.uv.copy(),
            texture_bgra=texture,
            occlusion=basis.occlusion.copy(),
            specular=_SKIN_SPECULAR,
        ),
        build_eyes(
            eyes.copy(),
            smooth_normals(eyes, eye_triangles, eye_weld),
            person,
            appearance,
        ),
        *build_hair(skin, normals, person, appearance, texture_px=texture_px),
    ]
    eye_centres = vertices[places.eyes].mean(axis=1)
    if appearance.glasses_on or appearance.dark_lenses:
        parts += build_glasses(
            person.glasses,
            eyes_m=eye_centres,
            front_m=float(skin[places.lens, 2].max()),
            ears_m=skin[places.ears],
            dark_lenses=appearance.dark_lenses,
        )
    if appearance.face_mask is not FaceMask.NONE:
        parts.append(build_mask(skin, appearance, ears_m=skin[places.ears]))
    ring = skin[places.neck]
    return Head(
        parts=tuple(parts),
        landmarks=np.concatenate([eye_centres, skin[places.points]]).astype(np.float32),
        outline=skin[places.outline].copy(),
        neck_radius_m=float(
            np.linalg.norm(ring[:, ::2] - ring[:, ::2].mean(axis=0), axis=1).mean()
        ),
        neck_root_m=neck_root,
    )


def _straighten_neck(
    vertices: NDArray[np.float32], neck_root: NDArray[np.float32]
) -> None:
    """Keep neck and chest within a slightly narrowing tube, in place.

    The base mesh flares into shoulders. Those belong to the body; a head that keeps
    them would poke through every collar.
    """
    places = _load_places()
    ring = vertices[places.neck]
    centre = ring[:, ::2].mean(axis=0)
    half = np.ptp(ring[:, ::2], axis=0) / 2.0
    low = vertices[places.throat]
    below = np.clip(ring[:, 1].mean() - low[:, 1], 0.0, None)
    depth = float(ring[:, 1].mean() - neck_root[1])
    # Necks lean; the joint may lie so near below the ring that it says nothing.
    slope = np.clip((neck_root[2] - centre[1]) * 0.6 / max(depth, 0.01), -_LEAN, _LEAN)
    middle = np.stack([np.zeros(len(low)), centre[1] + slope * below], axis=1)
    away = low[:, ::2] - middle
    reach = np.linalg.norm(away / half, axis=1)
    # Down there the body has a neck of its own: a head's that lay level with it would
    # come through in patches, so it narrows and stays inside.
    limit = 1.0 - _NARROWS * np.clip(below / _NARROWS_WITHIN_M, 0.0, 1.0)
    away *= np.minimum(1.0, limit / np.maximum(reach, 1e-6))[:, None]
    vertices[places.throat, 0] = middle[:, 0] + away[:, 0]
    vertices[places.throat, 2] = middle[:, 1] + away[:, 1]


def _beard_growth_m(person: Person) -> NDArray[np.float32]:
    """How far the beard stands out at each skin vertex; lips stay where they are."""
    basis = load_head_basis()
    at = basis.template_m[: basis.n_skin]
    cover = beard_cover(at, person.beard, stubble=0.0)
    x, y = at[:, 0] / 0.028, (at[:, 1] - MOUTH_Y_M) / 0.0125
    off_lips = np.clip((np.hypot(x, y) - 0.9) / 0.5, 0.0, 1.0)
    full = person.beard.style is BeardStyle.FULL
    # Close-cropped beards barely stand out, and no moustache does.
    depth = person.beard.length_m if full else min(person.beard.length_m, 0.004)
    below = np.clip((MOUTH_Y_M + 0.004 - at[:, 1]) / 0.012, 0.15, 1.0)
    grown = np.clip(cover * 1.4 - 0.2, 0.0, 1.0) * off_lips * below * depth
    return np.asarray(grown, np.float32)
