"""Pictures that people are sought by: of some years ago, of four kinds, several."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from bench.running.enrolment import enrol_watchlist
from matcher.config import MatcherConfig
from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.heads.morphs import morph_weights
from synthetic_crowds.people.ageing import YOUNGEST_PICTURED_YEARS, years_ago
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.picture.enrolment import enrolment_portrait
from synthetic_crowds.records import CaptureQuality

ALL_KINDS = WatchlistConfig(
    size=6,
    mated_share=0.5,
    images_per_subject=3,
    image_age_years=(2.0, 15.0),
    capture_shares=dict.fromkeys(CaptureQuality, 1.0),
)


def somebody(index):
    return draw_person(
        Demographics(), seed=11, domain=IdentityDomain.REALISM, index=index
    )


def grown_up():
    return next(p for p in map(somebody, range(99)) if 40.0 < p.age_years < 60.0)


def test_nobody_changes_within_no_time():
    """A picture of today shows the person of today."""
    person = somebody(1)
    assert years_ago(person, 0.0, rng=np.random.default_rng(0)) is person


def test_years_take_grey_wrinkles_and_nothing_of_the_identity():
    """Ageing runs through age; shape axes, irises, skin tone and brows stay."""
    person = grown_up()
    person = replace(person, hair=replace(person.hair, grey=0.6))
    then = years_ago(person, 15.0, rng=np.random.default_rng(0))
    assert then.age_years == person.age_years - 15.0
    assert then.hair.grey < person.hair.grey
    assert then.skin.wrinkles < person.skin.wrinkles
    assert np.array_equal(then.face_shape, person.face_shape)
    assert (then.iris_bgr, then.brows) == (person.iris_bgr, person.brows)
    assert then.skin.tone == person.skin.tone
    assert then.person_id == person.person_id


def test_bones_age_by_the_age_targets_alone():
    """Between now and then only macro targets change weight, as age is one of them."""
    person = grown_up()
    then = years_ago(person, 12.0, rng=np.random.default_rng(0))
    day = draw_appearance(person, rng=np.random.default_rng(1))
    now, before = morph_weights(person, day), morph_weights(then, day)
    changed = {name for name in now if now[name] != before[name]}
    assert changed
    assert all(name.startswith("macro/") for name in changed)


def test_children_are_never_pictured_before_five():
    """A picture cannot be older than its use, and boys then have no beards."""
    child = next(p for p in map(somebody, range(400)) if p.age_years < 12.0)
    then = years_ago(child, 15.0, rng=np.random.default_rng(0))
    assert then.age_years == pytest.approx(YOUNGEST_PICTURED_YEARS)
    assert then.height_m < child.height_m


def test_kinds_of_picture_differ_in_sharpness():
    """A custody picture holds the most detail, an enlarged CCTV still the least."""
    person = grown_up()
    detail = {}
    for kind in CaptureQuality:
        values = []
        for seed in range(4):
            image = enrolment_portrait(
                person, rng=np.random.default_rng(seed), quality=kind
            ).image_bgr
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float64)
            values.append(cv2.Laplacian(grey, cv2.CV_64F)[64:192, 52:156].std())
        detail[kind] = np.median(values)
    assert detail[CaptureQuality.CCTV_STILL] < 0.6 * detail[CaptureQuality.CUSTODY]
    assert detail[CaptureQuality.CCTV_STILL] == min(detail.values())


@pytest.mark.parametrize("kind", list(CaptureQuality))
def test_pictures_of_every_kind_repeat(kind):
    """The same stream takes the same picture, of one size."""
    first, again = (
        enrolment_portrait(
            somebody(3),
            rng=np.random.default_rng(5),
            quality=kind,
            image_age_years=4.0,
        ).image_bgr
        for _ in range(2)
    )
    assert first.shape == (256, 208, 3)
    assert np.array_equal(first, again)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    return make_crowd(
        CrowdConfig(duration_s=2.0, footfall_per_min=60.0, population_size=300),
        (CameraConfig(width_px=320, height_px=180, fps=2.0),),
        ALL_KINDS,
        seed=5,
        cache_dir=tmp_path_factory.mktemp("cache"),
        workers=1,
        progress=lambda *_: None,
    )


def test_watchlist_lists_every_picture_with_its_kind_and_age(crowd):
    """The table is what was asked for, read back in order."""
    watchlist = crowd.watchlist
    assert len(watchlist.images) == 18
    assert len(watchlist.subjects) == len(watchlist.image_paths) == 6
    assert all(image.path.is_file() for image in watchlist.images)
    assert len({image.quality for image in watchlist.images}) >= 3
    assert all(0.0 <= image.image_age_years <= 15.0 for image in watchlist.images)
    assert [image.person_id for image in watchlist.images] == [
        subject.person_id for subject in watchlist.subjects for _ in range(3)
    ]


def test_several_pictures_make_one_template(crowd):
    """The gallery holds each subject once, whatever the number of pictures."""
    enrolment = enrol_watchlist(
        crowd.watchlist, MatcherConfig(), progress=lambda *_: None
    )
    enrolled = set(enrolment.gallery.subject_ids)
    failed = {failure.subject_id for failure in enrolment.failures}
    assert enrolled | failed == {str(s.person_id) for s in crowd.watchlist.subjects}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"image_age_years": (3.0, 1.0)}, "image_age_years must be"),
        ({"image_age_years": (0.0, 40.0)}, "image_age_years must be"),
        ({"capture_shares": {"custody": 0.0}}, "not all 0"),
        ({"capture_shares": {"selfie": 1.0}}, "custody"),
        ({"images_per_subject": 0}, "greater than or equal"),
    ],
    ids=["backwards", "too-old", "none", "unknown", "no-picture"],
)
def test_impossible_pictures_are_refused(settings, words):
    """What cannot be taken fails when the scenario is read."""
    with pytest.raises(ValidationError, match=words):
        WatchlistConfig(**settings)
