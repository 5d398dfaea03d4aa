"""Plans: computed, judged, and set on a page whose first line is their standing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.host.machine import this_machine
from bench.planning.plan import make_plan
from bench.planning.replay import Replay
from bench.planning.report import (
    newest_calibration,
    plan_table,
    read_validation,
    standing,
    validation_table,
    write_calibration,
    write_plan,
    write_validation,
)
from bench.planning.validation import compare
from bench.planning.validation_records import LoadResult, Objective, Validation
from commands.calibrate import calibration_file
from scenarios.errors import ScenarioValueError
from scenarios.plan_loader import (
    REFERENCE_CALIBRATION,
    load_calibration,
    load_hardware,
    load_plan,
    shipped_plans,
)
from sim.calibration import CalibrationError
from sim.capacity import Question

PROFILES = load_hardware()
REFERENCE = load_calibration(REFERENCE_CALIBRATION)
HERE = REFERENCE.model_copy(update={"machine": this_machine()})
MEASURED = {
    "mean": 0.020,
    "p50": 0.018,
    "p95": 0.040,
    "p99": 0.050,
    "skipped": 0.0,
    "utilisation": 0.70,
}


def _validation(*, off=1.0, **busy):
    measured = {**MEASURED, **busy}
    foretold = [
        {name: value * off * (1.0 + wobble) for name, value in measured.items()}
        for wobble in (-0.02, 0.0, 0.02)
    ]
    rows = compare(foretold, measured)
    load = LoadResult(
        replay=Replay(n_cameras=4, fps=10.0, duration_s=20.0, gallery_size=1_000),
        n_frames=720,
        comparisons=rows,
        others=0.01,
        change=0.01,
        attempts=1,
        is_quiet=True,
        speed=1.01,
        as_calibrated=rows,
        speed_in_load=1.0,
        diagnosis=rows,
    )
    return Validation(
        loads=(load,),
        objective=Objective(p99_s=1.0, skipped=0.01),
        ladder=(5, 6, 7),
        foretold_cameras=6,
        foretold_low=5,
        foretold_high=7,
        measured_cameras=6,
    )


@pytest.fixture(scope="module")
def van():
    asked = load_plan(
        "van", profiles=PROFILES, overrides=("site.hours=0.1", "site.fps=5")
    )
    question = Question(
        calibration=HERE,
        site=asked.site,
        target=asked.target,
        hardware=asked.node(PROFILES),
        seed=asked.plan.seed,
        n_replications=2,
    )
    return make_plan(
        question,
        asked.review,
        whole_day=True,
        threads=1,
        progress=lambda *_: None,
    )


def test_every_shipped_plan_can_be_read():
    """Five plans, from a van to a country, each with hardware that exists."""
    assert len(shipped_plans()) == 5
    cameras = sorted(
        load_plan(name, profiles=PROFILES).site.cameras for name in shipped_plans()
    )
    assert cameras[0] == 4
    assert cameras[-1] == 10_000


def test_errors_are_limited_by_utilisation():
    """10 % up to 80 % busy, 25 % up to 95 %, no limit beyond; skips always 2 points."""
    limits = {
        busy: {row.figure: row.limit for row in compare([MEASURED], {**MEASURED, **at})}
        for busy, at in (
            (70, {"utilisation": 0.70}),
            (90, {"utilisation": 0.90}),
            (99, {"utilisation": 0.99}),
        )
    }
    assert [limits[busy]["p99"] for busy in (70, 90, 99)] == [0.10, 0.25, None]
    assert {limits[busy]["skipped"] for busy in (70, 90, 99)} == {0.02}


def test_a_validation_that_is_off_is_not_met():
    """Twelve per cent off fails below 80 % utilisation and passes above it."""
    assert _validation(off=1.05).is_met
    assert not _validation(off=1.12).is_met
    assert _validation(off=1.12, utilisation=0.85).is_met


def test_disturbed_loads_are_shown_and_not_judged():
    """Whoever measured others' work too has proven nothing, and failed at nothing."""
    quiet, noisy = _validation(), _validation(off=3.0)
    both = replace(quiet, loads=(*quiet.loads, replace(noisy.loads[0], is_quiet=False)))
    assert both.judged == quiet.judged
    assert standing(HERE, both).startswith("VALIDATION INCOMPLETE")
    alone = replace(both, loads=both.loads[1:])
    assert not alone.is_met


def test_a_page_stands_even_if_every_load_was_disturbed(van, tmp_path):
    """Nothing was proven, so there is no picture of a proof; the rest is there."""
    loads = tuple(replace(x, is_quiet=False) for x in _validation().loads)
    report = write_plan(
        van,
        tmp_path,
        title="A van",
        question="",
        scenario={},
        validation=replace(_validation(), loads=loads),
        provenance={},
    )
    page = report.read_text(encoding="utf-8")
    assert "1 more loads were disturbed" in page
    assert "Foretold against measured glass-to-alert" not in page


def test_first_line_says_whether_the_model_was_proven_here():
    """Another machine's service times are no proof on this one."""
    assert standing(HERE, None).startswith("NOT VALIDATED on this machine")
    elsewhere = HERE.model_copy(update={"machine": {"processor": "another"}})
    assert "another machine" in standing(elsewhere, _validation())
    assert standing(HERE, _validation()).startswith("VALIDATED on this machine")
    assert standing(HERE, _validation(off=2.0)).startswith("VALIDATION MISSED")


def test_a_plan_is_written_with_its_proof(van, tmp_path):
    """The page begins with the standing; plan.json holds the same answers."""
    report = write_plan(
        van,
        tmp_path,
        title="A <van>",
        question="Is it enough?",
        scenario={},
        validation=_validation(),
        provenance={},
    )
    page = report.read_text(encoding="utf-8")
    assert "A &lt;van&gt;" in page
    assert page.index("VALIDATED on this machine") < page.index("Answers")
    content = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert content["cameras_per_node"]["median"] == van.per_node.median
    assert content["nodes"] == van.nodes
    assert content["validation"]["measured_cameras"] == 6
    assert content["day"]["n_frames"] == 4 * 5 * 360


def test_a_node_more_than_needed_is_bought(van):
    """The cameras fit on all nodes but one, whatever the number of nodes."""
    site = van.question.site
    assert (van.nodes - 1) * van.per_node.median >= site.cameras
    assert (van.nodes - 2) * van.per_node.median < site.cameras
    assert van.failures[0].is_kept


def test_tables_hold_every_load_and_answer(van):
    """Nothing is left out on a terminal."""
    assert validation_table(_validation()).row_count == 1
    assert plan_table(van, title="Van").row_count >= 8


def test_calibration_and_validation_survive_the_disk(tmp_path):
    """What is read back is what was written; the newest of this machine is found."""
    folder = tmp_path / "calibrate-high_street-1"
    path = write_calibration(HERE, folder)
    assert load_calibration(path) == HERE
    assert newest_calibration(tmp_path) == path
    assert calibration_file(None, out=tmp_path) == path
    assert calibration_file(folder, out=tmp_path / "none") == path
    assert calibration_file(None, out=tmp_path / "none") == REFERENCE_CALIBRATION
    assert read_validation(folder) is None
    write_validation(_validation(), folder)
    assert read_validation(folder) == _validation()


def test_what_is_no_calibration_is_refused(tmp_path):
    """One sentence says what was needed and how to get it."""
    (tmp_path / "calibration.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CalibrationError, match="run `harness calibrate"):
        load_calibration(tmp_path / "calibration.json")


def test_unknown_hardware_names_the_nearest():
    """A slip of the pen is answered with the name that was meant."""
    with pytest.raises(ScenarioValueError, match="did you mean 'server_64'"):
        load_plan("van", profiles=PROFILES, overrides=("hardware.profile=server64",))


def test_no_node_means_no_price(van):
    """If a node carries no camera, nothing is divided by it."""
    none = replace(van, nodes=None)
    assert none.price_per_camera_gbp is None
    assert none.watts_per_camera is None
