"""Claims about degradations, crops and the truth that goes with them."""

import cv2
import numpy as np
import pytest

from bench.records import PassageOutcome
from matcher.alignment import template
from synthetic_crowds.picture.surroundings import draw_light
from training.augment import CLEAN, MIRRORED, STREET, degraded_chip
from training.crops import CropConfig, draw_crop
from training.faces_dataset import FaceViews, load_faces
from training.intervals import wilson
from training.results import (
    OperatingPoint,
    StreetResult,
    accuracy_table,
    group_table,
    likeness_table,
    passages_at,
)
from training.scenes_dataset import Scenes, ScenesConfig, truth_kinds

_EYES_NOSE_MOUTH = np.array(
    [[40, 44], [72, 44], [56, 64], [42, 82], [70, 82]], np.float32
)


def _face() -> np.ndarray:
    image = np.full((112, 112, 3), 150, np.uint8)
    for x, y in _EYES_NOSE_MOUTH:
        cv2.circle(image, (int(x), int(y)), 4, (20, 30, 200), -1)
    return image


def _chip(config, *, seed: int) -> np.ndarray:
    chip, _ = degraded_chip(
        _face(),
        _EYES_NOSE_MOUTH,
        84.0,
        config=config,
        chip_px=64,
        rng=np.random.default_rng(seed),
    )
    return chip


def test_equal_seeds_degrade_equally() -> None:
    """Every draw comes from the generator that is passed in."""
    assert np.array_equal(_chip(STREET, seed=1), _chip(STREET, seed=1))
    assert not np.array_equal(_chip(STREET, seed=1), _chip(STREET, seed=2))


def test_shifts_lead_from_the_template_to_the_landmarks() -> None:
    """Where the shifted template points, the chip shows the marks that were drawn."""
    config = CLEAN.model_copy(update={"landmark_jitter": (0.1, 0.1), "mirror": 0.0})
    chip, shifts = degraded_chip(
        _face(),
        _EYES_NOSE_MOUTH,
        84.0,
        config=config,
        chip_px=64,
        rng=np.random.default_rng(3),
    )
    assert np.abs(shifts).max() > 0.01
    for x, y in 64 * (template(1) + shifts) - 0.5:
        blue, _, red = chip[round(y), round(x)].astype(int)
        assert red > blue + 60


def test_an_enrolment_desk_treats_faces_better_than_a_street() -> None:
    """Near, still and well lit: chips stay closer to the undegraded one."""
    quiet = {"tint": 0.0, "gain": (1.0, 1.0), "gamma": (1.0, 1.0), "occlusion": 0.0}
    wanted = CLEAN.model_copy(
        update={**quiet, "noise_levels": (0.0, 0.0), "lens_blur_px": (0.0, 0.0)}
    )

    def error(config) -> float:
        chips = [_chip(config.model_copy(update=quiet), seed=s) for s in range(20)]
        clean = [_chip(wanted, seed=s) for s in range(20)]
        return float(np.abs(np.float32(chips) - np.float32(clean)).mean())

    assert error(CLEAN) < 0.5 * error(STREET)


def test_mirroring_swaps_left_and_right_landmarks() -> None:
    """Applied twice it changes nothing, and the nose stays the nose."""
    assert MIRRORED[MIRRORED].tolist() == [0, 1, 2, 3, 4]
    assert MIRRORED.tolist() == [1, 0, 2, 4, 3]


def _scenes(kind: int = 1) -> Scenes:
    image = np.zeros((1, 192, 320, 3), np.uint8)
    point = np.array([[[100, 60], [120, 60], [110, 70], [102, 80], [118, 80]]])
    image[0, 59:61, 99:101] = 255  # the right eye, centred on (100, 60)
    return Scenes(
        images_bgr=image,
        size_px=np.array([[192, 320]]),
        first_face=np.array([0, 1]),
        faces_xyxy=np.array([[92, 40, 128, 90]], np.float32),
        faces_landmarks=point.astype(np.float32),
        faces_kind=np.array([kind]),
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_truth_of_a_crop_follows_its_pixels(seed: int) -> None:
    """The only bright spot lies where the crop's truth says that eye is."""
    config = CropConfig(spoilt=0.0, on_a_face=1.0, close_ups=0.3)
    crop = draw_crop(_scenes(), config, rng=np.random.default_rng(seed))
    bright = crop.image_bgr[..., 0].astype(np.float64)
    if bright.sum() == 0 or len(crop.kinds) == 0:
        pytest.skip("this crop cuts the eye off")
    y, x = np.indices(bright.shape) + 0.5
    centre = np.array([(x * bright).sum(), (y * bright).sum()]) / bright.sum()
    # After mirroring, the spot is the subject's left eye.
    eyes = crop.landmarks[0, :2]
    assert float(np.abs(eyes - centre).sum(axis=1).min()) < 1.5


def test_faces_too_small_or_cut_off_count_neither_way() -> None:
    """They become regions to ignore, never background and never faces."""
    config = CropConfig(smallest_face_px=500.0, on_a_face=1.0)
    crop = draw_crop(_scenes(), config, rng=np.random.default_rng(0))
    assert set(crop.kinds.tolist()) <= {-1}


def test_heads_turned_away_are_background_and_hidden_faces_are_left_out() -> None:
    """Up to 70 degrees a face, to 105 neither, beyond background."""
    kinds = truth_kinds(
        np.array([0, -69, 80, 170, 10, 10], np.float32),
        np.array([1, 1, 1, 1, 0.3, 0.0], np.float32),
        ScenesConfig(),
    )
    assert kinds.tolist() == [1, 1, -1, 0, -1, 0]


def test_light_differs_between_draws_and_stays_finite() -> None:
    """Directions are unit vectors, strengths positive."""
    lights = [draw_light(rng=np.random.default_rng(s)) for s in range(20)]
    lengths = [float(np.linalg.norm(light.direction)) for light in lights]
    assert np.allclose(lengths, 1.0, atol=1e-5)
    assert all((light.key_bgr > 0).all() for light in lights)
    assert len({tuple(light.key_bgr) for light in lights}) == 20


def test_missing_shards_are_an_error_that_names_the_remedy(tmp_path) -> None:
    """Training on nothing is refused."""
    with pytest.raises(FileNotFoundError, match=r"training\.faces_dataset first"):
        load_faces([tmp_path])


def test_taking_views_keeps_rows_together() -> None:
    """All fields of a view move as one."""
    views = FaceViews(
        images_bgr=np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1).repeat(3, 3),
        landmarks=np.zeros((4, 5, 2), np.float32),
        face_height_px=np.arange(4, dtype=np.float32),
        person=np.arange(4),
        day=np.zeros(4, np.int64),
        enrolment=np.zeros(4, np.bool_),
    )
    some = views.take(np.array([3, 1]))
    assert some.person.tolist() == [3, 1]
    assert some.images_bgr[:, 0, 0, 0].tolist() == [3, 1]


def test_wilson_interval_of_a_textbook_case() -> None:
    """2 of 20: Newcombe (1998) gives 0.0279 to 0.3010."""
    assert wilson(2, 20) == pytest.approx((0.0279, 0.3010), abs=5e-4)
    with pytest.raises(ValueError, match="n >= 1"):
        wilson(0, 0)


def _passage(number: int, *, mated: bool, best: float | None, mate: float | None):
    return PassageOutcome(
        passage_id=f"near-{number}",
        person_id=str(number),
        camera_id="near",
        sex="female" if number % 2 else "male",
        age_band="18-29",
        monk_tone=5,
        ancestry="african",
        mated=mated,
        t_in_s=0.0,
        t_out_s=1.0,
        max_face_height_px=70.0,
        max_visibility=1.0,
        unoccluded_frames=3,
        n_frames=6,
        n_frames_processed=6,
        n_frames_detected=6,
        n_probes=2,
        best_score=best,
        mate_score=mate,
        alerted=False,
        true_alert=False,
        false_alert=False,
        time_to_alert_s=None,
        latency_s=None,
    )


def _street(threshold: float, *passages: PassageOutcome) -> StreetResult:
    return StreetResult(
        setting="high_street",
        weather="day",
        n_enrolled=9,
        n_failed_to_enrol=1,
        points=(
            OperatingPoint(
                target_fpir=0.01,
                threshold=threshold,
                n_passages=1257,
                fpir_low=0.005,
                fpir_high=0.017,
            ),
        ),
        n_frames=100,
        fair_faces=50,
        fair_found=49,
        false_detections=2,
        passages=passages,
    )


def test_rates_follow_from_scores_at_each_streets_own_threshold() -> None:
    """TPIR is over mated passages alone, FPIR over the others; at or above alerts."""
    streets = (
        _street(
            0.6,
            _passage(1, mated=True, best=0.7, mate=0.6),
            _passage(2, mated=True, best=0.7, mate=0.5),
            _passage(3, mated=False, best=0.6, mate=None),
            _passage(4, mated=False, best=None, mate=None),
        ),
        _street(0.8, _passage(5, mated=False, best=0.7, mate=None)),
    )
    table = accuracy_table(streets)
    assert "| 1.0% on 1,257 passages [0.50%, 1.70%] | 0.600, 0.800 |" in table
    assert "TPIR, all passages | 1/2 = 50.00%" in table
    assert "FPIR, non-mated passages | 1/3 = 33.33%" in table
    passages = passages_at(streets, target_fpir=0.01)
    assert "| tone: 4-6 | 1/2" in group_table(passages)
    assert "| FPIR | sex: female |" in likeness_table(passages)
    # A result survives the disk.
    again = StreetResult.model_validate_json(streets[0].model_dump_json())
    assert again == streets[0]
