"""Who walks past cameras that nobody has filmed: arrivals and approaches.

Owns the small model of a crowd that stands in for rendered people when a site is
planned: groups come by a Poisson process whose rate follows the hour, and each person
walks one of the approaches that were seen in a clip's truth. Also the frames that
cameras send of it. Knows nothing of matchers.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from sim.draws import mix, uniform
from sim.records import Frames, Passages

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Profile",
    "Stream",
    "Walks",
    "draw_frames",
    "draw_passages",
    "profile_of",
]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# Purposes of random numbers, away from those of `sim.service`.
_GROUP, _SIZE, _WHICH, _LAG = 21, 22, 23, 24
_PHASE, _JITTER, _BYTES, _ALERT = 25, 26, 27, 28
# Whoever comes this long before the first frame may still be in view.
_LEAD_S = 30.0
# Members of a group follow each other within this.
_GROUP_SPREAD_S = 1.5


class Profile(StrEnum):
    """How a crowd comes and goes in the course of a day."""

    CONSTANT = "constant"
    DIURNAL = "diurnal"
    EGRESS = "egress"


# Footfall of a high street by hour against its busiest hour; shape after the hourly
# counters of UK cities: quiet at night, a shoulder at noon, a peak in the afternoon.
_DIURNAL = (
    0.08, 0.06, 0.05, 0.04, 0.04, 0.06, 0.14, 0.33, 0.52, 0.56, 0.66, 0.80,
    0.95, 1.00, 0.97, 0.94, 0.92, 0.95, 0.85, 0.66, 0.48, 0.36, 0.25, 0.15,
)  # fmt: skip
# A stadium empties: nobody, a steep rise at the whistle, a long tail.
_EGRESS_RISE_MIN, _EGRESS_FALL_MIN = 4.0, 14.0


class Stream(NamedTuple):
    """What a camera sends.

    Attributes:
        fps: Frames a second.
        jitter_s: Largest lateness of a capture.
        key_every: Frames from one key frame to the next.
        key_bytes, other_bytes: Mean sizes of the two kinds of frames.
        spread: Standard deviation of a size over its mean.
    """

    fps: float
    jitter_s: float
    key_every: int
    key_bytes: float
    other_bytes: float
    spread: float


class Walks(NamedTuple):
    """How people come and walk, as an unhurried look at clips has found them.

    Attributes:
        first, length: (a,) int64, samples of each approach in `quality`.
        quality: (s,) float32, as in `Passages`.
        rate_hz: Samples a second.
        group_stop: Chance that a group has no further member.
        alert_chance: Chance that a passage raises an alert, if it is looked at in time.
        alert_shot: The embedding that raises it.
    """

    first: NDArray[np.int64]
    length: NDArray[np.int64]
    quality: NDArray[np.float32]
    rate_hz: float
    group_stop: float
    alert_chance: float
    alert_shot: int


def profile_of(
    profile: Profile, *, duration_s: float, step_s: float
) -> NDArray[np.float64]:
    """Lay out a profile as factors on the busiest rate, one a step.

    Args:
        profile: Its kind.
        duration_s: From the beginning; a day begins at midnight.
        step_s: Length of a step.
    """
    times_s = (np.arange(max(math.ceil(duration_s / step_s), 1)) + 0.5) * step_s
    match profile:
        case Profile.CONSTANT:
            return np.ones(len(times_s))
        case Profile.DIURNAL:
            hours = np.append(np.array(_DIURNAL), _DIURNAL[0])
            return np.asarray(
                np.interp(times_s / 3600.0 % 24.0, np.arange(25.0), hours), np.float64
            )
        case Profile.EGRESS:
            minutes = times_s / 60.0
            rise = np.clip(minutes / _EGRESS_RISE_MIN, 0.0, 1.0)
            late = np.maximum(minutes - _EGRESS_RISE_MIN, 0.0)
            return np.asarray(rise * np.exp(-late / _EGRESS_FALL_MIN))


def draw_frames(
    stream: Stream, n_cameras: int, *, key: int, begin_s: float, end_s: float
) -> Frames:
    """Draw the frames of cameras that tick at random phases.

    A camera's phase depends on its number alone: more cameras leave it as it was.

    Args:
        stream: What each sends.
        n_cameras: Cameras.
        key: Of the random numbers.
        begin_s: From when.
        end_s: Until when.
    """
    columns = _frames(np.uint64(key), stream, n_cameras, begin_s, end_s)
    return Frames(*columns)


@njit(cache=True, nogil=True)
def _frames(
    key: np.uint64, stream: Stream, n_cameras: int, begin_s: float, end_s: float
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    period_s = 1.0 / stream.fps
    first = math.ceil(begin_s * stream.fps)
    n_ticks = math.ceil(end_s * stream.fps) - first
    phase = np.empty(n_cameras)
    camera_keys = np.empty(n_cameras, np.uint64)
    for camera in range(n_cameras):
        phase[camera] = uniform(key, camera, _PHASE) * period_s
        camera_keys[camera] = mix(key + _GOLDEN * np.uint64(camera + 1))
    order = np.argsort(phase)
    camera_of = np.empty(n_ticks * n_cameras, np.int32)
    capture_s = np.empty(n_ticks * n_cameras)
    packet_bytes = np.empty(n_ticks * n_cameras)
    row = 0
    for tick in range(first, first + n_ticks):
        for camera in order:
            own = camera_keys[camera]
            late_s = stream.jitter_s * uniform(own, tick, _JITTER)
            at_s = tick * period_s + phase[camera] + late_s
            mean = stream.other_bytes
            if (tick + camera) % stream.key_every == 0:
                mean = stream.key_bytes
            # Uniform with the spread asked for: sizes are near their mean.
            sway = (2.0 * uniform(own, tick, _BYTES) - 1.0) * math.sqrt(3.0)
            size = mean * max(1.0 + stream.spread * sway, 0.05)
            # Jitter lets neighbours change places: put each where it belongs.
            place = row
            while place > 0 and capture_s[place - 1] > at_s:
                capture_s[place] = capture_s[place - 1]
                camera_of[place] = camera_of[place - 1]
                packet_bytes[place] = packet_bytes[place - 1]
                place -= 1
            capture_s[place], camera_of[place] = at_s, camera
            packet_bytes[place] = size
            row += 1
    return camera_of, capture_s, packet_bytes


def draw_passages(
    walks: Walks,
    n_cameras: int,
    *,
    views_hz: float,
    factors: NDArray[np.float64],
    step_s: float,
    key: int,
    begin_s: float,
    end_s: float,
) -> Passages:
    """Draw who comes past each camera.

    Args:
        walks: How people come and walk.
        n_cameras: Cameras, alike and independent.
        views_hz: Faces that come into view of one camera a second when it is busiest.
        factors: (s,) share of that in each step; the last one holds for ever.
        step_s: Length of a step.
        key: Of the random numbers.
        begin_s: From when somebody is looking.
        end_s: Until when.
    """
    room = int(views_hz * (end_s - begin_s + 2.0 * _LEAD_S) * n_cameras * 1.5) + 1_000
    while True:
        start, times_s, first, shots, fits = _passages(
            np.uint64(key), walks, n_cameras, views_hz, factors, step_s,
            begin_s - _LEAD_S, end_s, room,
        )  # fmt: skip
        if fits:
            return Passages(
                start=start,
                t_in_s=times_s[0],
                t_out_s=times_s[1],
                first=first,
                rate_hz=np.full(len(first), walks.rate_hz),
                alert_shot=shots,
                quality=walks.quality,
            )
        room *= 2


@njit(cache=True, nogil=True)
def _passages(
    key: np.uint64,
    walks: Walks,
    n_cameras: int,
    views_hz: float,
    factors: NDArray[np.float64],
    step_s: float,
    begin_s: float,
    end_s: float,
    room: int,
) -> tuple[
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int32],
    bool,
]:
    start = np.zeros(n_cameras + 1, np.int64)
    times_s = np.empty((2, room))
    first = np.empty(room, np.int64)
    shots = np.zeros(room, np.int32)
    groups_hz = views_hz * walks.group_stop
    row = 0
    for camera in range(n_cameras):
        own = mix(key + _GOLDEN * np.uint64(camera + 1))
        at_s, draw = begin_s, 0
        while True:
            # Thinning: candidates at the busiest rate, kept by the hour's share.
            at_s -= math.log(uniform(own, draw, _GROUP)) / groups_hz
            if at_s >= end_s:
                break
            step = min(max(int(at_s / step_s), 0), len(factors) - 1)
            kept = uniform(own, draw, _SIZE) < factors[step]
            member = 0
            while kept:
                address = draw * 16 + member
                if row >= room:
                    return start, times_s, first, shots, False
                which = int(uniform(own, address, _WHICH) * len(walks.first))
                t_in_s = at_s + uniform(own, address, _LAG) * _GROUP_SPREAD_S * (
                    member > 0
                )
                # Sorted by entry within the camera.
                place = row
                while place > start[camera] and times_s[0, place - 1] > t_in_s:
                    times_s[:, place] = times_s[:, place - 1]
                    first[place] = first[place - 1]
                    shots[place] = shots[place - 1]
                    place -= 1
                times_s[0, place] = t_in_s
                # A little less, that no moment falls behind the last sample.
                stay_s = walks.length[which] / walks.rate_hz
                times_s[1, place] = t_in_s + stay_s * (1.0 - 1e-9)
                first[place] = walks.first[which]
                alerts = uniform(own, address, _ALERT) < walks.alert_chance
                shots[place] = walks.alert_shot if alerts else 0
                row += 1
                member += 1
                kept = member < 15 and (
                    uniform(own, address, _SIZE + 10) >= walks.group_stop
                )
            draw += 1
        start[camera + 1] = row
    return (
        start,
        times_s[:, :row].copy(),
        first[:row].copy(),
        shots[:row].copy(),
        True,
    )
