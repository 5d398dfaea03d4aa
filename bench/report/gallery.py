"""Pictures on the page: a frame of each camera, and every alert with its faces.

Owns data URIs, captions and texts beside pictures. Reads picture files; knows
nothing of how they were made or of HTML.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from bench.report.album import FOLDER
from bench.report.view import AlertCard, CameraFigure
from bench.report.words import count, number

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records import AlertOutcome
    from bench.report.album import Album, AlertPicture, PersonNote

__all__ = [
    "alert_cards",
    "alerts_note",
    "camera_figures",
    "pictured_first",
    "shared_prefix",
]

_MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


def camera_figures(run_folder: Path, album: Album) -> tuple[CameraFigure, ...]:
    """Make the figure of each camera."""
    figures = []
    for picture in album.cameras:
        seen = (
            f"{_plural(picture.n_faces, 'face')} in view, {count(picture.n_tracks)} "
            f"followed by the matcher, {_plural(picture.n_alerts, 'alert')} raised"
        )
        place = f"{picture.camera_id}, {picture.time_s:.1f} s"
        figures.append(
            CameraFigure(
                uri=_data_uri(run_folder, picture.file),
                width_px=picture.width_px,
                height_px=picture.height_px,
                alt=f"Street with synthetic people as seen by {place}: {seen}.",
                caption=f"{place}: {seen}. All people are synthetic.",
            )
        )
    return tuple(figures)


def alert_cards(
    run_folder: Path,
    album: Album,
    alerts: tuple[AlertOutcome, ...],
    *,
    in_real_time: bool,
) -> tuple[AlertCard, ...]:
    """Make a card of every alert, in order of time.

    Args:
        run_folder: Holds the pictures.
        album: Which pictures there are.
        alerts: All of the run.
        in_real_time: Latencies mean something.
    """
    pictures = {picture.alert_index: picture for picture in album.alerts}
    n_shared = len(shared_prefix(alerts))
    return tuple(
        _card(
            run_folder,
            alert,
            pictures.get(alert.alert_index),
            n_shared=n_shared,
            in_real_time=in_real_time,
        )
        for alert in alerts
    )


def shared_prefix(alerts: tuple[AlertOutcome, ...]) -> str:
    """Find what every person's id begins with, up to its last hyphen; else nothing."""
    ids = {alert.subject_id for alert in alerts}
    ids |= {alert.person_id for alert in alerts if alert.person_id is not None}
    heads = {person_id[: person_id.rfind("-") + 1] for person_id in ids}
    return heads.pop() if len(heads) == 1 else ""


def pictured_first(cards: tuple[AlertCard, ...]) -> tuple[AlertCard, ...]:
    """Take the cards that have a picture: false alerts first, then by time."""
    pictured = [card for card in cards if card.probe_uri or card.reference_uri]
    return tuple(sorted(pictured, key=lambda card: (card.is_true, card.index)))


def alerts_note(cards: tuple[AlertCard, ...], *, prefix: str) -> str:
    """Say how many alerts there were, how many have pictures, and how ids are cut."""
    if not cards:
        return "The matcher raised no alert in this run."
    shown = len(pictured_first(cards))
    if shown == 0:
        note = "No pictures of the alerts were kept; the table lists every one."
    elif shown < len(cards):
        note = (
            f"{count(shown)} of {count(len(cards))} alerts are pictured, false ones "
            "first; the table lists every one."
        )
    elif shown == 1:
        note = "The only alert is pictured."
    else:
        note = f"All {count(shown)} alerts are pictured, false ones first."
    return f"{note} Every person's id begins with {prefix}." if prefix else note


def _card(
    run_folder: Path,
    alert: AlertOutcome,
    picture: AlertPicture | None,
    *,
    n_shared: int,
    in_real_time: bool,
) -> AlertCard:
    probe_file, reference_file, named, seen = None, None, None, None
    place = f"{alert.camera_id}, frame {count(alert.frame_index)}"
    if picture is not None:
        probe_file, reference_file = picture.probe_file, picture.reference_file
        named, seen = picture.named, picture.seen
        place = f"{alert.camera_id}, {picture.time_s:.1f} s"
    return AlertCard(
        index=alert.alert_index + 1,
        is_true=alert.correct,
        probe_uri=probe_file and _data_uri(run_folder, probe_file),
        reference_uri=reference_file and _data_uri(run_folder, reference_file),
        named=_person(alert.subject_id[n_shared:], named),
        seen="no face in the truth"
        if alert.person_id is None
        else _person(alert.person_id[n_shared:], seen),
        score=f"{alert.comparison_score:.3f}",
        threshold=f"{alert.threshold:.3f}",
        score_at=100 * min(max(alert.comparison_score, 0.0), 1.0),
        threshold_at=100 * min(max(alert.threshold, 0.0), 1.0),
        latency=number(alert.latency_s, "s") if in_real_time else "",
        place=place,
    )


def _person(person_id: str, note: PersonNote | None) -> str:
    if note is None:
        return person_id
    noun = {"female": "woman", "male": "man"}.get(note.sex, note.sex)
    if note.age_years < 18:
        noun = {"woman": "girl", "man": "boy"}.get(noun, noun)
    return f"{person_id}, {noun}, {note.age_years:.0f}, Monk tone {note.monk_tone}"


def _plural(n: int, noun: str) -> str:
    return f"{count(n)} {noun}" + "s" * (n != 1)


def _data_uri(run_folder: Path, file: str) -> str:
    path = run_folder / FOLDER / file
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:{_MEDIA_TYPES[path.suffix]};base64,{encoded}"
