"""What is painted on a texel lies where the texel map says, at every size."""

from __future__ import annotations

import numpy as np

from synthetic_crowds.basis.head_basis import blend, load_head_basis, smooth_normals
from synthetic_crowds.heads.atlas import FACE_UNROLL, bake_texel_map, unroll
from synthetic_crowds.heads.face_canvas import load_face_canvas
from synthetic_crowds.raster.noise_fields import value_noise


def test_left_has_the_larger_u_and_the_crown_the_smaller_v():
    """The unrolled face reads like a frontal picture."""
    points = np.array([[0.03, 0.0, 0.09], [-0.03, 0.0, 0.09], [0.0, 0.12, 0.06]])
    uv = unroll(points.astype(np.float32), FACE_UNROLL, right_of_seam=np.zeros(3, bool))
    assert uv[0, 0] > 0.5 > uv[1, 0]
    assert uv[2, 1] < uv[0, 1]


def test_texel_map_inverts_the_unrolling():
    """Unrolling the position behind a texel of the face leads back to that texel."""
    basis = load_head_basis()
    skin = basis.template_m[: basis.n_skin]
    uv = unroll(skin, FACE_UNROLL, right_of_seam=basis.right_of_seam)
    texels = bake_texel_map(uv, skin, basis.skin_triangles, FACE_UNROLL, size_px=64)
    face = texels.position_m[20:44, 20:44].reshape(-1, 3)
    back = unroll(face, FACE_UNROLL, right_of_seam=np.zeros(len(face), bool)) * 64 - 0.5
    rows, columns = np.mgrid[20:44, 20:44].reshape(2, -1)
    error = np.hypot(back[:, 0] - columns, back[:, 1] - rows)
    # Nothing is painted between the lids.
    known = texels.covered[20:44, 20:44].ravel()
    assert known.mean() > 0.9
    assert np.median(error[known]) < 0.2


def test_regions_lie_in_the_same_place_at_every_size():
    """A smaller texture shows the same lips in the same template place."""
    centres = []
    for size in (64, 128):
        canvas = load_face_canvas(size)
        weights = canvas.lips[..., None]
        centres.append((canvas.position_m * weights).sum((0, 1)) / weights.sum())
    assert np.abs(centres[0] - centres[1]).max() < 0.001


def test_noise_is_a_function_of_place_and_seed():
    """Equal points give equal values; another seed gives others, evenly spread."""
    points = np.random.default_rng(0).uniform(-1, 1, (4000, 3)).astype(np.float32)
    scale = np.array([9.0, 9.0, 9.0])
    field = value_noise(points, scale, 7)
    assert np.array_equal(field[:10], value_noise(points[:10].copy(), scale, 7))
    assert np.abs(np.corrcoef(field, value_noise(points, scale, 8))[0, 1]) < 0.1
    assert np.abs(field).max() <= 1.0
    assert abs(field.mean()) < 0.05


def test_average_weights_give_back_the_template():
    """Blending the six young heads in equal parts is the template itself."""
    weights = {
        f"macro/{a}-{s}-young": 1 / 6
        for a in ("african", "asian", "european")
        for s in ("female", "male")
    }
    basis = load_head_basis()
    vertices, neck = blend(basis, weights)
    assert np.abs(vertices - basis.template_m).max() < 2e-4
    assert neck[1] < -0.08


def test_normals_point_outwards_and_agree_on_the_seam():
    """Skin faces away from the head's middle; copies on the seam share normals."""
    basis = load_head_basis()
    skin = basis.template_m[: basis.n_skin]
    normals = smooth_normals(skin, basis.skin_triangles, basis.weld)
    crown = skin[:, 1] > 0.09
    outward = ((skin - (0.0, 0.04, 0.0)) * normals).sum(axis=1)
    assert (outward[crown] > 0.0).all()
    assert np.array_equal(normals, normals[basis.weld])
