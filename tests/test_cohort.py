"""A cohort of a site, and the threshold that is found on it."""

import numpy as np
import pytest

from bench.accuracy.cohort import record_clip, record_clips
from bench.errors import BenchError
from commands.cohort import cohort
from matcher.assembly import alert_threshold, check_threshold
from matcher.calibration import (
    LEAST_EXCEEDANCES,
    Cohort,
    read_cohort,
    save_cohort,
    settings_of,
)
from matcher.config import DecisionConfig, EmbedderConfig, MatcherConfig
from matcher.decision import is_candidate
from matcher.errors import CalibrationError
from matcher.fusion import unit_length
from matcher.indexes.exact import ExactIndex
from matcher.weights import read_manifest
from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.people.population import IdentityDomain

MATCHER = MatcherConfig()
SITE = """
[scenario]
title = "Two small cameras"
description = "For a cohort."
seed = 3

[crowd]
footfall_per_min = 60.0

[[cameras]]
camera_id = "east"
width_px = 640
height_px = 360
fps = 5.0

[[cameras]]
camera_id = "west"
width_px = 640
height_px = 360
fps = 5.0
"""


def quiet(*_):
    """Report nothing."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two cameras of people on no list."""
    return make_crowd(
        CrowdConfig(duration_s=8.0, footfall_per_min=60.0),
        tuple(
            CameraConfig(camera_id=name, width_px=640, height_px=360, fps=5.0)
            for name in ("east", "west")
        ),
        WatchlistConfig(size=1, mated_share=0.0),
        seed=3,
        cache_dir=tmp_path_factory.mktemp("crowd"),
        workers=1,
        progress=quiet,
        domain=IdentityDomain.CALIBRATION,
    ).clips


def drawn_cohort(n_passages):
    """A cohort of the reference embedder, one search a passage."""
    rng = np.random.default_rng(8)
    vectors = rng.standard_normal((n_passages, 128)).astype(np.float32)
    return Cohort(
        templates=unit_length(vectors),
        passages=np.arange(n_passages),
        n_passages=n_passages,
        embedder_sha256=read_manifest().embedder.sha256,
        settings=settings_of(MATCHER),
    )


def test_cohort_of_a_site_is_that_of_its_clips_in_order(clips, tmp_path):
    """Processes change nothing, and passages count from camera to camera."""
    seen = []
    whole = record_clips(
        clips,
        MATCHER,
        cache=tmp_path,
        workers=2,
        progress=lambda *told: seen.append(told),
    )
    parts = [record_clip(clip, MATCHER) for clip in clips]

    assert whole.n_passages == sum(len(clip.passages) for clip in clips)
    assert len(whole.passages) == sum(len(part.passages) for part in parts) > 0
    templates = np.concatenate([part.templates for part in parts])
    assert np.allclose(whole.templates, templates, atol=1e-3)
    assert whole.passages.max() >= len(clips[0].passages)
    assert seen[-1] == ("record searches", 80, 80)


def test_interrupted_recording_goes_on(clips, tmp_path):
    """What is recorded is read, whatever it says; other settings are recorded anew."""

    def recorded(matcher):
        return record_clips(clips, matcher, cache=tmp_path, workers=1, progress=quiet)

    recorded(MATCHER)
    kept = list((tmp_path / "cohorts").iterdir())
    for path in kept:
        save_cohort(drawn_cohort(5), path)
    again = recorded(MATCHER)
    recorded(MATCHER.model_copy(update={"embedder": EmbedderConfig(with_mirror="all")}))

    assert again.n_passages == 5 * len(kept) == 10
    assert len(list((tmp_path / "cohorts").iterdir())) == 4


def test_command_writes_what_a_run_reads(tmp_path, capsys):
    """From a scenario to a threshold, and the call that uses it."""
    site, out = tmp_path / "site.toml", tmp_path / "new" / "cohort.npz"
    site.write_text(SITE, "utf-8")
    cohort(str(site), out=out, minutes=0.2, cache=tmp_path / "cache", quiet=True)
    found = read_cohort(out)
    said = capsys.readouterr().out
    fpir = LEAST_EXCEEDANCES / found.n_passages
    decision = DecisionConfig(cohort=out, target_fpir=min(0.99, fpir + 1e-9))
    gallery = ExactIndex(drawn_cohort(50).templates)
    threshold = alert_threshold(MatcherConfig(decision=decision), gallery)

    assert f"{found.n_passages:,} passages" in said
    assert f"--set matcher.decision.cohort={out}" in said
    best = np.full(found.n_passages, -1.0)
    np.maximum.at(best, found.passages, (found.templates @ gallery.templates.T).max(1))
    above = int(is_candidate(best, threshold=threshold.value).sum())
    assert above == LEAST_EXCEEDANCES
    assert str(out) in threshold.origin


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"decision": {"cohort": "absent.npz"}}, "absent.npz"),
        ({"decision": {"cohort": __file__}}, "npz file"),
        ({"decision": {"target_fpir": 0.001}}, "harness cohort"),
        ({"embedder": {"name": "dlib_resnet"}}, "harness cohort"),
    ],
    ids=["absent", "no cohort", "too small", "another embedder"],
)
def test_threshold_that_cannot_be_found_is_refused_before_anything_is_made(
    settings, complaint
):
    """The remedy is named."""
    with pytest.raises(CalibrationError, match=complaint):
        check_threshold(MatcherConfig.model_validate(settings))


def test_threshold_that_is_given_needs_no_cohort():
    """Whatever the embedder."""
    given = {"embedder": {"name": "dlib_resnet"}, "decision": {"threshold": 0.5}}
    check_threshold(MatcherConfig.model_validate(given))


def test_clips_of_ones_own_are_no_cohort(tmp_path):
    """Whether they show people on the list, the command cannot know."""
    site = tmp_path / "site.toml"
    site.write_text(SITE + f'[supplied]\nclips_folder = "{tmp_path}"\n', "utf-8")
    with pytest.raises(BenchError, match="people of its own"):
        cohort(str(site), out=tmp_path / "cohort.npz", quiet=True)

    assert not (tmp_path / "cohort.npz").exists()
