"""The same frames over HTTP and in process: do all answers agree, frame by frame?

    python -m bench.suites.service_alerts [SCENARIO]

The watchlist goes to the service as pictures and the frames, in the order of the plan,
as their own packets and then as stills without loss. Of packets everything is compared
but stamps, and one frame that differs is one too many. Of stills, whose brightness
comes from their colours and not from the codec, outcomes and alerts are counted.
Scores may differ in their last digits: portraits are embedded in batches of other
sizes than in process, and a matrix product rounds by its size.
"""

from __future__ import annotations

import base64
import dataclasses
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import requests
from rich.console import Console

from bench.running.enrolment import enrol_watchlist
from bench.running.rig import make_rig
from bench.suites.service_process import serving
from commands.crowd import crowd_of
from matcher.ingest import CameraDecoder
from matcher.records import CameraId, EncodedFrame
from matcher.service.wire import FrameResultWire, from_wire
from matcher.worker import run_unhurried
from scenarios import loader
from scenarios.streams import Stream, Streams

_BATCH, _TIMEOUT_S = 100, 120.0
# Of scores, which are cosines in single precision.
_TOLERANCE = 1e-5


def frames_of(settings, crowd):
    """Every frame of the plan, as a run without a clock sends it."""
    rng = Streams(seed=settings.scenario.seed).generator(Stream.ARRIVALS)
    rig = make_rig(crowd, settings.load, rng=rng)
    rows = zip(
        rig.plan.camera.tolist(),
        rig.plan.frame_index.tolist(),
        rig.plan.offset_ns.tolist(),
        strict=True,
    )
    return [
        EncodedFrame(
            camera_id=CameraId(rig.plan.camera_ids[camera]),
            index=index,
            capture_time_ns=offset_ns,
            packet=rig.packets[camera][index],
        )
        for camera, index, offset_ns in rows
    ]


def enrol(session, url, crowd):
    """Give the service the watchlist, as pictures; search it; return what it says."""
    session.post(f"{url}/v1/watchlists", json={"name": "run"}).raise_for_status()
    files = {}
    for image in crowd.watchlist.images:
        text = base64.b64encode(image.path.read_bytes()).decode()
        files.setdefault(image.person_id, []).append(text)
    subjects = [
        {"subject_id": subject_id, "images_base64": texts}
        for subject_id, texts in files.items()
    ]
    for first in range(0, len(subjects), _BATCH):
        session.post(
            f"{url}/v1/watchlists/run/subjects",
            json={"subjects": subjects[first : first + _BATCH]},
            timeout=_TIMEOUT_S,
        ).raise_for_status()
    answer = session.put(f"{url}/v1/active-watchlist", json={"name": "run"})
    answer.raise_for_status()
    return answer.json()


def post(session, url, frames, *, as_stills):
    """Post frames in order; return their results off the wire."""
    session.delete(f"{url}/v1/cameras").raise_for_status()
    decoders, results = {}, []
    for frame in frames:
        content, kind = frame.packet, "video/h264"
        if as_stills:
            decoder = decoders.setdefault(frame.camera_id, CameraDecoder())
            content = cv2.imencode(
                ".png",
                decoder.decode(frame).image_bgr,
                [cv2.IMWRITE_PNG_COMPRESSION, 1],
            )[1].tobytes()
            kind = "image/png"
        answer = session.post(
            f"{url}/v1/frames",
            data=content,
            headers={"Content-Type": kind},
            params={
                "camera_id": frame.camera_id,
                "frame_index": frame.index,
                "capture_time_ns": frame.capture_time_ns,
                "unhurried": "true",
                "detail": "full",
            },
            timeout=_TIMEOUT_S,
        )
        answer.raise_for_status()
        results.append(from_wire(FrameResultWire.model_validate_json(answer.content)))
    return results


def told(result):
    """What people are told: how a frame ended, and who alerted on it."""
    alerts = [(a.subject_id, a.track_id, a.frame_index) for a in result.alerts]
    return result.outcome.outcome, alerts


def without_stamps(result):
    """Leave out when: two runs can agree on everything but that."""

    def timeless(record):
        names = {f.name for f in dataclasses.fields(record)}
        stamps = {n for n in names if n.endswith("_ns")} - {"capture_time_ns"}
        return dataclasses.replace(record, **dict.fromkeys(stamps, 0))

    return dataclasses.replace(
        result,
        outcome=timeless(result.outcome),
        events=tuple(timeless(e) for e in result.events),
        probes=tuple(timeless(p) for p in result.probes),
        alerts=tuple(timeless(a) for a in result.alerts),
    )


def without_scores(result):
    """Leave out what may differ in its last digits."""
    bare = {"comparison_score": 0.0}
    return dataclasses.replace(
        result,
        probes=tuple(dataclasses.replace(p, **bare) for p in result.probes),
        alerts=tuple(
            dataclasses.replace(a, threshold=0.0, **bare) for a in result.alerts
        ),
    )


def scores_of(result):
    """List what was left out."""
    probes = [p.comparison_score for p in result.probes]
    alerts = [(a.comparison_score, a.threshold) for a in result.alerts]
    return np.array([*probes, *(v for pair in alerts for v in pair)])


def is_alike(found, wanted):
    """Say whether two results agree in all but stamps, scores within the tolerance."""
    return without_scores(found) == without_scores(wanted) and bool(
        np.allclose(scores_of(found), scores_of(wanted), rtol=0.0, atol=_TOLERANCE)
    )


def main() -> None:
    """Print how many frames agree; exit 1 if one does not."""
    name = sys.argv[1] if len(sys.argv) > 1 else "high_street"
    settings = loader.load(name)
    cache = Path(os.environ.get("LFR_CACHE", ".cache/crowds"))
    crowd = crowd_of(settings, cache=cache, workers=None, progress=lambda *_: None)
    frames = frames_of(settings, crowd)
    enrolment = enrol_watchlist(
        crowd.watchlist, settings.matcher, progress=lambda *_: None
    )
    expected = [
        without_stamps(result)
        for result in run_unhurried(
            frames,
            config=settings.matcher,
            gallery=enrolment.gallery,
            clock=time.perf_counter_ns,
        )
    ]
    n_alerts = sum(len(result.alerts) for result in expected)
    n_probes = sum(len(result.probes) for result in expected)
    console, differing = Console(), 0
    with serving("--scenario", name) as served, requests.Session() as session:
        active = enrol(session, served.url, crowd)
        console.print(
            f"{name}: {active['n_subjects']} subjects, threshold {active['threshold']}"
        )
        for as_stills in (False, True):
            results = post(session, served.url, frames, as_stills=as_stills)
            pairs = list(zip(map(without_stamps, results), expected, strict=True))
            # Of a still, brightness and the small view come from its colours.
            unlike = sum(
                told(found) != told(wanted)
                if as_stills
                else not is_alike(found, wanted)
                for found, wanted in pairs
            )
            apart = max(
                (
                    float(np.abs(scores_of(found) - scores_of(wanted)).max(initial=0.0))
                    for found, wanted in pairs
                    if len(scores_of(found)) == len(scores_of(wanted))
                ),
            )
            differing += 0 if as_stills else unlike
            what = "outcome and alerts" if as_stills else "all but stamps"
            console.print(
                f"{'stills' if as_stills else 'packets'}: {len(frames) - unlike:,} of "
                f"{len(frames):,} frames agree with the in-process run in {what} "
                f"({n_probes:,} probes, {n_alerts} alerts; scores apart by {apart:.1e} "
                "at most)"
            )
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
