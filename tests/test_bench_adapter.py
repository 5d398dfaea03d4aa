"""A vendor's API through an adapter: the page of the docs, and what can go wrong."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from http_doubles import TOKEN, VendorHandler, listening, tiny_rig
from pydantic import ValidationError

from bench.dialects.adapter import adapt
from bench.dialects.adapter_settings import AdapterConfig
from bench.dialects.dialect import Answer, EnrolWay, FrameFormat, FrameLabel
from bench.driving.http_target import Remote
from bench.errors import BenchError, RemoteError
from bench.objectives import LoadConfig, ObjectivesConfig
from bench.records import Status
from bench.report import render_report
from bench.running.folder import write_run
from bench.running.remote_run import measure_remote
from bench.running.run import Origin, Settings
from matcher.config import MatcherConfig
from matcher.records import CameraId, Outcome
from scenarios.adapter_loader import load_adapter
from scenarios.errors import ScenarioError
from scenarios.loader import load, resolved

DOCS = Path(__file__).parents[1] / "docs" / "adapters.md"
LABEL = FrameLabel(
    camera_id=CameraId("cam1"),
    index=7,
    capture_time_ns=1_000,
    width_px=640,
    height_px=360,
)


def page():
    """Return the adapter of the docs, as its TOML has it."""
    (text,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), flags=re.S)
    return tomllib.loads(text)


def dialect_of(content, **environment):
    return adapt(
        AdapterConfig.model_validate(content),
        {"ACME_KEY": TOKEN, **environment},
        unix_offset_ns=5_000_000_000,
    )


def answered(content, status=200):
    return Answer(
        status=status,
        body=json.dumps(content).encode(),
        sent_ns=2_000,
        answered_ns=3_000,
    )


def measured(service, folder, content, *, way=EnrolWay.PORTRAITS):
    """Run the tiny world against a service, unhurried."""
    return measure_remote(
        tiny_rig(folder),
        Settings(
            matcher=MatcherConfig(),
            load=LoadConfig(warm_up_s=1.0),
            objectives=ObjectivesConfig(),
        ),
        Origin(
            run_id="Tiny 1",
            scenario=resolved(load("smoke")),
            provenance={"seed": 1},
        ),
        remote=Remote(
            url=service.url,
            dialect=dialect_of(content),
            picture=FrameFormat.JPEG,
            way=way,
        ),
        unhurried=True,
        progress=lambda *_: None,
    )


def test_the_page_in_the_docs_measures_a_vendor_that_knows_the_truth(tmp_path):
    """No error is made on the way: ann is found, nobody else; busy frames are skips."""
    with listening(VendorHandler) as vendor:
        vendor.refusals = {("cam2", 3): (429, ""), ("cam2", 4): (429, "")}
        record = measured(vendor, tmp_path, page())
        assert "run-tiny-1" not in vendor.enrolled  # its teardown was called
        assert vendor.active == "run-tiny-1"
    metrics = record.metrics
    assert metrics["tpir"].value == 1.0
    assert metrics["fpir"].value == metrics["fta"].value == 0.0
    assert metrics["alerts.true"].value == 2  # ann, and cat, who stays to the end
    assert metrics["frames.processed"].value == 198
    assert metrics["frames.lost_to.too_busy"].value == 2
    assert metrics["watchlist.fte"].value == 1  # zoe's portrait has no face
    assert metrics["threshold"].value == 0.5
    assert metrics["utilisation"].value is None
    assert record.verdict.status is Status.VALID, record.verdict.reasons
    assert record.provenance["target"]["dialect"] == "acme"
    assert TOKEN not in str(record.provenance)
    (tmp_path / "run").mkdir()
    write_run(record, tmp_path / "run")
    text = render_report(tmp_path / "run").read_text("utf-8")
    assert "adapter &#39;acme&#39;" in text or "adapter 'acme'" in text


def test_alerts_alone_leave_failures_to_acquire_without_a_value(tmp_path):
    """What is not told is not measured as zero."""
    content = page()
    del content["frames"]["found"]
    with listening(VendorHandler) as vendor:
        record = measured(vendor, tmp_path, content)
    assert record.metrics["fta"].value is None
    assert record.metrics["tpir"].value == 1.0
    assert any("FTA" in note for note in record.notes)


def test_a_wrong_key_is_a_refusal_with_the_vendors_words(tmp_path):
    """Nothing is measured, and the user hears why."""
    content = page()
    content["headers"]["X-Api-Key"] = "wrong"
    with (
        listening(VendorHandler) as vendor,
        pytest.raises(RemoteError, match=r"401.*who are you"),
    ):
        measured(vendor, tmp_path, content)


def test_a_missing_variable_is_named():
    """A key that is not there is no empty key."""
    with pytest.raises(RemoteError, match="export ACME_KEY"):
        adapt(AdapterConfig.model_validate(page()), {}, unix_offset_ns=0)


@pytest.mark.parametrize(
    ("form", "scale", "numbers"),
    [
        ("xyxy", "pixels", [64.0, 36.0, 128.0, 72.0]),
        ("xywh", "pixels", [64.0, 36.0, 64.0, 36.0]),
        ("cxcywh", "pixels", [96.0, 54.0, 64.0, 36.0]),
        ("xyxy", "fraction", [0.1, 0.1, 0.2, 0.2]),
        ("xywh", "fraction", [0.1, 0.1, 0.1, 0.1]),
    ],
)
def test_boxes_of_every_form_come_to_the_same_corners(form, scale, numbers):
    """Pixels and corners are all that the join with the truth knows."""
    content = page()
    for table in ("found", "alerts"):
        content["frames"][table] |= {"box": "b", "box_form": form, "box_scale": scale}
    face = {"b": numbers, "trackId": 9, "best": {"personId": "p", "similarity": 80}}
    said = answered({"result": {"faces": [face | {"hit": True}]}})
    result = dialect_of(content).frame_result(LABEL, said)
    (box,) = result.boxes
    assert box == pytest.approx((9, 64.0, 36.0, 128.0, 72.0))
    (alert,) = result.alerts
    assert alert.comparison_score == 0.8
    assert alert.track_id == box[0]
    assert result.outcome.done_ns == alert.alert_time_ns == 3_000


def test_faces_without_tracks_are_never_taken_for_one_another():
    """An alert listed apart from its face is joined by its own box."""
    content = page()
    for table in ("found", "alerts"):
        del content["frames"][table]["track"]
    rect = {"left": 0.1, "top": 0.1, "width": 0.1, "height": 0.1}
    best = {"personId": "p", "similarity": 80}
    faces = [
        {"rect": rect, "best": best, "hit": False},
        {"rect": rect, "best": best, "hit": True},
    ]
    result = dialect_of(content).frame_result(
        LABEL, answered({"result": {"faces": faces}})
    )
    assert result.alerts[0].track_id not in {box[0] for box in result.boxes}
    assert len({box[0] for box in result.boxes}) == 2


@pytest.mark.parametrize(
    ("answer", "outcome", "cause"),
    [
        (answered({}, status=503), Outcome.SKIPPED, "too busy"),
        (answered({"error": "no"}, status=400), Outcome.FAILED, "refused 400"),
        (answered({"result": {"faces": 3}}), Outcome.FAILED, "unreadable answer"),
        (
            answered({"result": {"faces": [{"rect": {}}]}}),
            Outcome.FAILED,
            "unreadable answer",
        ),
        (
            Answer(
                status=0, body=b"", sent_ns=2, answered_ns=9, failure="timed out: 10 s"
            ),
            Outcome.FAILED,
            "timed out",
        ),
    ],
    ids=["busy", "refused", "no list", "no box", "no answer"],
)
def test_every_answer_ends_its_frame_with_a_cause(answer, outcome, cause):
    """Nothing that a vendor says loses a frame."""
    ended = dialect_of(page()).frame_result(LABEL, answer).outcome
    assert ended.outcome is outcome
    assert ended.cause.startswith(cause)
    assert ended.capture_time_ns <= ended.received_ns <= ended.done_ns


def test_templates_are_filled_and_paths_are_quoted():
    """A dollar sign is written twice; a slash in an id is no slash in a path."""
    content = page()
    content["frames"] |= {
        "path": "/c/$camera_id/$$x",
        "body": '{"at": $capture_unix_ms, "k": "${env:ACME_KEY}"}',
    }
    label = FrameLabel(
        camera_id=CameraId("a/b~1"),
        index=0,
        capture_time_ns=1_000_000_000,
        width_px=1,
        height_px=1,
    )
    call = dialect_of(content).frame_call(label, b"jpeg", "image/jpeg", unhurried=False)
    assert call.path == "/c/a%2Fb~1/$x"
    assert json.loads(call.body) == {"at": 6_000, "k": TOKEN}
    assert dict(call.headers)["Content-Type"] == "application/json"


def test_probes_are_read_by_path():
    """The best candidate, its score, and whether it counts."""
    dialect = dialect_of(page())
    found = dialect.identified(
        answered({"best": {"personId": "p", "similarity": 70, "hit": True}})
    )
    assert (found.subject_id, found.comparison_score, found.alerted) == ("p", 0.7, True)
    assert dialect.identified(answered({}, status=429)).outcome is Outcome.SKIPPED
    content = page()
    del content["identify"]
    with pytest.raises(BenchError, match="--identify-hz 0"):
        dialect_of(content).identify_call(b"", "image/png")


@pytest.mark.parametrize(
    ("table", "change", "complaint"),
    [
        ("frames", {"body": "$pixels"}, "placeholders must be of"),
        ("frames", {"body": '{"image": "$picture"}'}, "picture_base64"),
        ("frames", {"form": {"a": "$picture"}}, "a body or a form"),
        ("identify", {"answer": {"subject": "a[", "score": "b"}}, "JMESPath"),
        ("enrol", {"form": {"a": "50 $"}}, r"\$\$"),
    ],
    ids=["unknown", "picture in text", "both", "bad path", "lone dollar"],
)
def test_what_cannot_work_is_refused_before_anything_is_called(
    table, change, complaint
):
    """The complaint says what would do."""
    content = page()
    content[table] |= change
    with pytest.raises(ValidationError, match=complaint):
        AdapterConfig.model_validate(content)


def test_a_wrong_key_in_the_file_is_found_with_its_line(tmp_path):
    """As in a scenario: the nearest key, the file, the line."""
    path = tmp_path / "mine.toml"
    path.write_text('name = "x"\n[system]\nthresold = 3.0\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"threshold.*|line"):
        load_adapter(path)
    with pytest.raises(ScenarioError, match="no such file"):
        load_adapter(tmp_path / "absent.toml")
