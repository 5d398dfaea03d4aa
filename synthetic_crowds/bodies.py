"""Clothed bodies that walk.

Owns the way from a person's build and clothes to meshes at any phase of the gait.
Knows nothing of faces, streets or cameras. Shapes and skin weights come from the
shared basis (`basis/BODIES.md`); a body adds its own rest shape and texture only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.accessories import accessories_of
from synthetic_crowds.body_basis import SHAPE_UNIT_M, BodyBasis, body_basis
from synthetic_crowds.fabric import paint_atlas
from synthetic_crowds.gait import Walker, walker
from synthetic_crowds.records import MeshPart, Sex
from synthetic_crowds.skeleton import Bone, follow
from synthetic_crowds.surface import normals_of, smooth
from synthetic_crowds.tailoring import Cut, cut_of, ease_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.accessories import Accessory
    from synthetic_crowds.clothing import Bgr, Clothing

__all__ = ["Body", "build_body"]

# Rows of the basis behind its points.
_HEAD_JOINT, _NECK_JOINT, _CROWN, _SOLE = 20, 21, 24, 25
# Ages that the basis's shapes stand for.
# Source: MakeHuman's age axis: child, young, old at 10, 25 and 90 years.
_AGES_YEARS = (10.0, 25.0, 90.0)
# The weight axis is measured on MakeHuman's three weights and goes on beyond them.
_WEIGHT_RANGE = (-1.2, 3.2)
_SHOE_SOLE_M = 0.016
# Heads do not grow with bodies: the scale fades out over this much below the neck.
_NECK_FADE_M = 0.30
# Height over which a hem goes from following the thighs to following the hips.
_HEM_STIFFNESS_M = 0.05
# What lies lower than this belongs to the sole of a shoe.
_SOLE_M = 0.024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """One dressed body. Its origin is the ground between the feet.

    Attributes:
        walker: Its skeleton and walk.
        head_joint_m: (3,) at rest, where a head's origin sits.
        neck_radius_m: Of the bare neck.
        rest_m: (p, 3) float32, dressed points at rest.
        rest_normals: (p, 3) float32.
        bones: (p, 5) uint8, weights: (p, 5) float32; what each point follows.
        occlusion: (p,) float32.
        atlas_bgra: Texture of everything.
        has_skirt: Whether anything hangs below the hips.
        extras: Collar, hood, scarf or bag; their points follow the body's in
            `rest_m`.
    """

    walker: Walker
    head_joint_m: NDArray[np.float64]
    neck_radius_m: float
    rest_m: NDArray[np.float32]
    rest_normals: NDArray[np.float32]
    bones: NDArray[np.uint8]
    weights: NDArray[np.float32]
    occlusion: NDArray[np.float32]
    atlas_bgra: NDArray[np.uint8]
    has_skirt: bool
    extras: tuple[Accessory, ...]

    @property
    def stride_m(self) -> float:
        """Advance per gait cycle; with it, feet do not slide."""
        return self.walker.stride_m

    def neck(self, gait_phase: float) -> NDArray[np.float64]:
        """Place the head's origin, body frame, at a phase of the gait; (3,) metres."""
        return self.walker.pose(gait_phase).move(Bone.CHEST, self.head_joint_m)

    def parts(self, gait_phase: float) -> tuple[MeshPart, ...]:
        """Pose the body.

        Args:
            gait_phase: Share of the gait cycle in [0, 1); 0 is the left heel strike.

        Returns:
            Surfaces in the body frame: y up, z forward, the ground at y = 0.
        """
        basis = body_basis()
        pose = self.walker.pose(gait_phase)
        vertices, normals = follow(
            self.rest_m,
            self.rest_normals,
            self.bones,
            self.weights,
            pose.rotations,
            pose.offsets_m,
        )
        surfaces = [(basis.source, basis.uv, basis.triangles)]
        if self.has_skirt:
            surfaces.append((basis.skirt_source, basis.skirt_uv, basis.skirt_triangles))
        start = len(basis.bones)
        for extra in self.extras:
            points = np.arange(start, start + len(extra.vertices))
            surfaces.append((points, extra.uv, extra.triangles))
            start += len(extra.vertices)
        occlusion = self.occlusion
        return tuple(
            MeshPart(
                vertices=vertices[source],
                normals=normals[source],
                triangles=triangles,
                uv=uv,
                texture_bgra=self.atlas_bgra,
                occlusion=occlusion[source],
            )
            for source, uv, triangles in surfaces
        )


def build_body(
    *,
    sex: Sex,
    age_years: float,
    height_m: float,
    body_mass_index: float,
    skin_bgr: Bgr,
    clothing: Clothing,
) -> Body:
    """Build one body and dress it.

    Args:
        sex: Decides the shape and nothing else.
        age_years: Below 10 a child's shape is scaled.
        height_m: From sole to crown, without shoes.
        body_mass_index: kg/m².
        skin_bgr: sRGB colour of hands and bare limbs.
        clothing: What is worn.

    Returns:
        The body.
    """
    basis = body_basis()
    cut = cut_of(clothing)
    points = _shape(basis, sex, age_years, body_mass_index)
    points = _to_height(points, height_m)
    n = len(basis.bones)
    rest, normals = _dress(basis, points[:n], cut)
    joints = points[n:].astype(np.float64)
    bones, weights = _hang(basis, cut)
    extras = accessories_of(clothing, basis, rest)
    return Body(
        walker=walker(joints[: len(Bone)], height_m=height_m, age_years=age_years),
        head_joint_m=joints[_HEAD_JOINT],
        neck_radius_m=_neck_radius(basis, points),
        rest_m=np.concatenate((rest, *(e.vertices for e in extras))),
        rest_normals=np.concatenate((normals, *(e.normals for e in extras))),
        bones=np.concatenate((bones, *(_carried(e)[0] for e in extras))),
        weights=np.concatenate((weights, *(_carried(e)[1] for e in extras))),
        occlusion=np.concatenate(
            (basis.occlusion, *(np.ones(len(e.vertices), np.float32) for e in extras))
        ),
        atlas_bgra=paint_atlas(clothing, cut, skin_bgr),
        has_skirt=cut.has_skirt,
        extras=extras,
    )


def _shape(
    basis: BodyBasis, sex: Sex, age_years: float, body_mass_index: float
) -> NDArray[np.float32]:
    """Blend the basis's shapes of one sex by age and body mass index."""
    row = 0 if sex is Sex.FEMALE else 1
    age = float(np.interp(age_years, _AGES_YEARS, (0.0, 1.0, 2.0)))
    ages = np.maximum(0.0, 1.0 - np.abs(age - np.arange(3.0)))
    low, mean, high = ages @ basis.body_mass_index[row]
    weight = (
        (body_mass_index - mean) / (high - mean)
        if body_mass_index > mean
        else (body_mass_index - mean) / (mean - low)
    )
    weight = float(np.clip(weight, *_WEIGHT_RANGE))
    weights = np.array([max(-weight, 0.0), 1.0 - abs(weight), max(weight, 0.0)])
    blend = np.outer(ages, weights).astype(np.float32) * np.float32(SHAPE_UNIT_M)
    return basis.mean_m + np.einsum("jk,jkpi->pi", blend, basis.shapes[row])


def _to_height(points: NDArray[np.float32], height_m: float) -> NDArray[np.float32]:
    """Scale a shape to a height, leave the head's size, stand it on the ground."""
    joints = points[-26:]
    head, neck, crown, sole = joints[[_HEAD_JOINT, _NECK_JOINT, _CROWN, _SOLE]]
    above = crown[1] - head[1]
    scale = (height_m - above) / (head[1] - sole[1])
    fade = np.clip((neck[1] + 0.03 - points[:, 1]) / _NECK_FADE_M, 0.0, 1.0)
    fade = (fade * fade * (3.0 - 2.0 * fade))[:, None]
    scaled = head + (points - head) * (1.0 + (scale - 1.0) * fade)
    origin = scaled[-26]
    scaled -= np.array(
        [0.0, scaled[-26 + _SOLE, 1] - _SHOE_SOLE_M, origin[2]], np.float32
    )
    return scaled


def _dress(
    basis: BodyBasis, points: NDArray[np.float32], cut: Cut
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Let the cloth bridge hollows, stand off the body, and end in flat soles.

    Returns:
        Points (p, 3) and normals (p, 3).
    """
    ease, cloth = ease_of(cut, basis)
    n = basis.n_suit
    draped = points.copy()
    draped[:n] = smooth(
        points[:n],
        normals_all(basis, points)[:n],
        basis.edges,
        basis.edge_starts,
        0.5 * cloth[:n],
        cut.drape,
    )
    draped += normals_all(basis, draped) * ease[:, None]
    # Shoes stand on flat soles: squeeze the rounded underside into a plate.
    feet = (basis.share[:, 3] > 0.5) & (draped[:, 1] < _SOLE_M)
    draped[feet, 1] = np.maximum(2.0 * draped[feet, 1] - _SOLE_M, 0.0)
    return draped, normals_all(basis, draped)


def _hang(basis: BodyBasis, cut: Cut) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Let the top hang from the hips: above its hem, cloth ignores the thighs.

    Returns:
        Bones (p, 5) and weights (p, 5); the fifth is the pelvis.
    """
    rise = (basis.height_m - cut.hem_m) / _HEM_STIFFNESS_M
    stiff = np.clip(0.5 + rise, 0.0, 1.0)[:, None]
    stiff[basis.n_suit :] = 0.0
    thigh = np.isin(basis.bones, (Bone.THIGH_L, Bone.THIGH_R))
    given = basis.weights * np.where(thigh, 0.8 * stiff, 0.0)
    pelvis = np.full((len(basis.bones), 1), Bone.PELVIS, np.uint8)
    weights = np.hstack((basis.weights - given, given.sum(axis=1, keepdims=True)))
    return np.hstack((basis.bones, pelvis)), weights.astype(np.float32)


def _carried(extra: Accessory) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Bones (v, 5) and weights (v, 5) of a piece that one bone carries."""
    n = len(extra.vertices)
    weights = np.zeros((n, 5), np.float32)
    weights[:, 0] = 1.0
    return np.full((n, 5), extra.bone, np.uint8), weights


def normals_all(basis: BodyBasis, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normals of suit, hands and skirt at once."""
    corners = np.concatenate(
        (basis.source[basis.triangles], basis.skirt_triangles_of_points)
    )
    return normals_of(points, corners)


def _neck_radius(basis: BodyBasis, points: NDArray[np.float32]) -> float:
    """Measure the suit around the neck joint."""
    joints = points[-26:]
    suit = points[: basis.n_suit]
    ring = suit[np.abs(suit[:, 1] - joints[_NECK_JOINT, 1] - 0.03) < 0.012]
    return float(np.median(np.hypot(ring[:, 0], ring[:, 2] - ring[:, 2].mean())))
