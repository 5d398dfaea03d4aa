"""Clothed bodies that walk.

Owns the way from a person's build and clothes to meshes at any phase of the gait.
Knows nothing of faces, streets or cameras. Shapes and skin weights come from the
shared basis (`basis/BODIES.md`); a body adds its own rest shape and texture only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.bodies.accessories import Accessory, accessories_of
from synthetic_crowds.bodies.body_basis import (
    SHAPE_UNIT_M,
    BodyBasis,
    Chart,
    Landmark,
    Surface,
    body_basis,
)
from synthetic_crowds.bodies.fabric import paint_atlas
from synthetic_crowds.bodies.gait import Walker, walker
from synthetic_crowds.bodies.skeleton import Bone, follow
from synthetic_crowds.bodies.tailoring import Cut, cut_of, ease_of
from synthetic_crowds.raster.surface import normals_of, smooth
from synthetic_crowds.records import MeshPart, Sex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.bodies.skeleton import Pose
    from synthetic_crowds.people.clothing import Bgr, Clothing

__all__ = ["Body", "build_body"]

# Ages that the basis's shapes stand for.
# Source: MakeHuman's age axis: child, young, old at 10, 25 and 90 years.
_AGES_YEARS = (10.0, 25.0, 90.0)
# The weight axis goes on beyond MakeHuman's thinnest and heaviest until shapes turn
# lumpy: adults reach a body mass index of about 15 to 28, heavier ones stay there.
_WEIGHT_RANGE = (-1.2, 3.2)
_SHOE_SOLE_M = 0.016
# Heads do not grow with bodies: the scale fades out from here below the neck.
_NECK_CLEAR_M, _NECK_FADE_M = 0.03, 0.30
# A neck is measured this far above its joint, in a band.
_NECK_RING_M, _NECK_BAND_M = 0.03, 0.012
# Height over which a top's hem goes from following the thighs to following the hips,
# and how much of the thighs' pull it loses.
_HEM_STIFFNESS_M, _HEM_STIFFNESS = 0.05, 0.8
# What lies lower than this belongs to the sole of a shoe.
_SOLE_M = 0.024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """One dressed body. Its origin is the ground between the feet.

    Attributes:
        walker: Its skeleton and walk.
        head_joint_m: (3,) at rest, where a head's origin sits.
        neck_radius_m: Of the neck below the clothes.
        rest_m: (q, 3) float32, dressed points at rest: the basis's, then those of
            accessories.
        rest_normals: (q, 3) float32.
        bones: (q, 5) uint8, what each point follows.
        weights: (q, 5) float32, how much.
        occlusion: (q,) float32.
        surfaces: What is drawn over those points.
        atlas_bgra: (256, 256, 4) uint8, the texture of all surfaces.
    """

    walker: Walker
    head_joint_m: NDArray[np.float64]
    neck_radius_m: float
    rest_m: NDArray[np.float32]
    rest_normals: NDArray[np.float32]
    bones: NDArray[np.uint8]
    weights: NDArray[np.float32]
    occlusion: NDArray[np.float32]
    surfaces: tuple[Surface, ...]
    atlas_bgra: NDArray[np.uint8]

    @property
    def stride_m(self) -> float:
        """Advance per gait cycle; with it, feet do not slide."""
        return self.walker.stride_m

    def neck(self, gait_phase: float) -> NDArray[np.float64]:
        """Place the head's origin, body frame, at a phase of the gait; (3,) metres."""
        return self.neck_in(self.walker.pose(gait_phase))

    def neck_in(self, pose: Pose) -> NDArray[np.float64]:
        """Place the head's origin, body frame, in a pose; (3,) metres."""
        return pose.move(Bone.CHEST, self.head_joint_m)

    def parts(self, gait_phase: float) -> tuple[MeshPart, ...]:
        """Pose the body.

        Args:
            gait_phase: Share of the gait cycle in [0, 1); 0 is the left heel strike.

        Returns:
            Surfaces in the body frame: y up, z forward, the ground at y = 0.
        """
        pose = self.walker.pose(gait_phase)
        points, normals = follow(
            self.rest_m,
            self.rest_normals,
            self.bones,
            self.weights,
            pose.rotations,
            pose.offsets_m,
        )
        return self._drawn(points, normals)

    def rest_parts(self) -> tuple[MeshPart, ...]:
        """The surfaces at rest."""
        return self._drawn(self.rest_m, self.rest_normals)

    def _drawn(
        self, points: NDArray[np.float32], normals: NDArray[np.float32]
    ) -> tuple[MeshPart, ...]:
        """Spread points over the surfaces."""
        return tuple(
            MeshPart(
                vertices=points[surface.source],
                normals=normals[surface.source],
                triangles=surface.triangles,
                uv=surface.uv,
                texture_bgra=self.atlas_bgra,
                occlusion=self.occlusion[surface.source],
            )
            for surface in self.surfaces
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
        sex: Chooses the shape.
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
    n = len(basis.bones)
    shape = _to_height(_shape(basis, sex, age_years, body_mass_index), n, height_m)
    points, joints = shape[:n], shape[n:].astype(np.float64)
    dressed = _dress(basis, points, cut)
    extras = accessories_of(clothing, basis, dressed)
    bones, weights = _hang(basis, cut)
    skirt = (basis.skirt,) if cut.has_skirt else ()
    worn = _worn(extras, n)
    return Body(
        walker=walker(joints[: len(Bone)], height_m=height_m, age_years=age_years),
        head_joint_m=joints[Landmark.HEAD],
        neck_radius_m=_neck_radius(points[: basis.n_suit], joints[Landmark.NECK]),
        rest_m=np.concatenate((dressed, *(e.vertices for e in extras))),
        rest_normals=np.concatenate(
            (_normals(basis, dressed), *(e.normals for e in extras))
        ),
        bones=np.concatenate((bones, *(_carried(e)[0] for e in extras))),
        weights=np.concatenate((weights, *(_carried(e)[1] for e in extras))),
        occlusion=np.concatenate(
            (basis.occlusion, *(np.ones(len(e.vertices), np.float32) for e in extras))
        ),
        surfaces=(basis.body, *skirt, *worn),
        atlas_bgra=paint_atlas(clothing, cut, skin_bgr),
    )


def _shape(
    basis: BodyBasis, sex: Sex, age_years: float, body_mass_index: float
) -> NDArray[np.float32]:
    """Blend the basis's shapes of one sex by age and body mass index."""
    row = 0 if sex is Sex.FEMALE else 1
    age = float(np.interp(age_years, _AGES_YEARS, (0.0, 1.0, 2.0)))
    ages = np.maximum(0.0, 1.0 - np.abs(age - np.arange(3.0)))
    low, mean, high = ages @ basis.body_mass_index[row]
    step = high - mean if body_mass_index > mean else mean - low
    weight = float(np.clip((body_mass_index - mean) / step, *_WEIGHT_RANGE))
    weights = np.array([max(-weight, 0.0), 1.0 - abs(weight), max(weight, 0.0)])
    blend = np.outer(ages, weights).astype(np.float32) * np.float32(SHAPE_UNIT_M)
    return basis.mean_m + np.einsum("jk,jkpi->pi", blend, basis.shapes[row])


def _to_height(
    shape: NDArray[np.float32], n_points: int, height_m: float
) -> NDArray[np.float32]:
    """Scale a shape to a height, leave the head's size, stand it on the ground."""
    rows = n_points + np.array(list(Landmark))
    head, neck, crown, sole = shape[rows]
    scale = (height_m - (crown[1] - head[1])) / (head[1] - sole[1])
    fade = (neck[1] + _NECK_CLEAR_M - shape[:, 1]) / _NECK_FADE_M
    fade = np.clip(fade, 0.0, 1.0)[:, None]
    fade = fade * fade * (3.0 - 2.0 * fade)
    scaled = head + (shape - head) * (1.0 + (scale - 1.0) * fade)
    ground = scaled[n_points + Landmark.SOLE, 1] - _SHOE_SOLE_M
    middle = scaled[n_points + Bone.PELVIS, 2]
    return np.asarray(scaled - [0.0, ground, middle], np.float32)


def _dress(
    basis: BodyBasis, points: NDArray[np.float32], cut: Cut
) -> NDArray[np.float32]:
    """Let the cloth bridge hollows, stand off the body, and end in flat soles."""
    ease, cloth = ease_of(cut, basis)
    n = basis.n_suit
    draped = points.copy()
    draped[:n] = smooth(
        points[:n],
        _normals(basis, points)[:n],
        basis.edges,
        basis.edge_starts,
        0.5 * cloth[:n],
        cut.drape,
    )
    draped += _normals(basis, draped) * ease[:, None]
    # Shoes stand on flat soles: squeeze the rounded underside into a plate.
    sole = (basis.share[:, Chart.FOOT] > 0.5) & (draped[:, 1] < _SOLE_M)
    draped[sole, 1] = np.maximum(2.0 * draped[sole, 1] - _SOLE_M, 0.0)
    return draped


def _normals(basis: BodyBasis, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the normals (p, 3) of suit, hands and skirt at once."""
    return normals_of(
        points, np.concatenate((basis.body.over_points, basis.skirt.over_points))
    )


def _hang(basis: BodyBasis, cut: Cut) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Let the top hang from the hips: above its hem, cloth ignores the thighs.

    Returns:
        Bones (p, 5) and weights (p, 5); the fifth is the pelvis.
    """
    rise = (basis.height_m - cut.hem_m) / _HEM_STIFFNESS_M
    stiff = np.where(basis.is_suit, np.clip(0.5 + rise, 0.0, 1.0), 0.0)[:, None]
    thigh = np.isin(basis.bones, (Bone.THIGH_L, Bone.THIGH_R))
    given = basis.weights * np.where(thigh, _HEM_STIFFNESS * stiff, 0.0)
    pelvis = np.full((len(basis.bones), 1), Bone.PELVIS, np.uint8)
    weights = np.hstack((basis.weights - given, given.sum(axis=1, keepdims=True)))
    return np.hstack((basis.bones, pelvis)), weights.astype(np.float32)


def _carried(extra: Accessory) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Spell out that one bone carries a whole piece: (v, 5) bones and weights."""
    n = len(extra.vertices)
    weights = np.zeros((n, 5), np.float32)
    weights[:, 0] = 1.0
    return np.full((n, 5), extra.bone, np.uint8), weights


def _worn(extras: tuple[Accessory, ...], first: int) -> tuple[Surface, ...]:
    """Number the points of accessories from `first` on."""
    surfaces = []
    for extra in extras:
        source = np.arange(first, first + len(extra.vertices), dtype=np.int32)
        surfaces.append(Surface(source=source, uv=extra.uv, triangles=extra.triangles))
        first += len(extra.vertices)
    return tuple(surfaces)


def _neck_radius(
    suit_m: NDArray[np.float32], neck_joint_m: NDArray[np.float64]
) -> float:
    """Measure the suit around the neck."""
    off = suit_m[:, 1] - neck_joint_m[1] - _NECK_RING_M
    ring = suit_m[np.abs(off) < _NECK_BAND_M]
    return float(np.median(np.hypot(ring[:, 0], ring[:, 2] - ring[:, 2].mean())))
