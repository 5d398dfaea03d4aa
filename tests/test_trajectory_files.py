"""Recordings by JuPedSim: read, put on the street, walked, told of; or refused."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.errors import StreetError, TrajectoryFileError
from synthetic_crowds.exchange.export import export
from synthetic_crowds.exchange.jupedsim import read_trajectories
from synthetic_crowds.exchange.origin import Origin
from synthetic_crowds.exchange.supplied import read_crowd
from synthetic_crowds.film.cache import MANIFEST, file_sha256
from synthetic_crowds.people.population import IdentityDomain
from synthetic_crowds.street.arrivals import TICK_S
from synthetic_crowds.street.plan import plan_crowd

ROOT = Path(__file__).parents[1]
CAMERA = CameraConfig(width_px=320, height_px=180, fps=4.0)
FPS = 10.0


def paths(n_people=3, seconds=12.0):
    """Rows (person, frame, x, y): people one after another from x = 14 towards 0."""
    rows = []
    for person in range(n_people):
        for frame in range(round(seconds * FPS)):
            x = 14.0 + 1.5 * person - 1.3 * frame / FPS
            rows.append((person + 1, frame, x, 0.4 * (person - 1)))
    return rows


def write_sqlite(path, rows, *, fps=FPS, version="2", drop=()):
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE trajectory_data (frame INTEGER NOT NULL, id INTEGER NOT NULL,"
            " pos_x REAL, pos_y REAL, ori_x REAL, ori_y REAL)"
        )
        database.execute("CREATE TABLE metadata(key TEXT PRIMARY KEY, value TEXT)")
        database.execute("CREATE TABLE geometry(hash INTEGER, wkt TEXT)")
        said = {"version": version, "fps": fps}
        database.executemany(
            "INSERT INTO metadata VALUES(?, ?)",
            [(key, str(value)) for key, value in said.items() if value is not None],
        )
        database.executemany(
            "INSERT INTO trajectory_data VALUES(?, ?, ?, ?, -1, 0)",
            [(frame, person, x, y) for person, frame, x, y in rows],
        )
        for table in drop:
            database.execute(f"DROP TABLE {table}")
        database.commit()
    return path


def write_text(path, rows, *, head="#framerate: 10.00\n#ID\tFR\tX\tY\tZ\n"):
    lines = [f"{p}\t{f}\t{x:.4f}\t{y:.4f}\t0.0000" for p, f, x, y in rows]
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def crowd_along(path, **placed):
    return CrowdConfig(
        duration_s=6.0,
        population_size=200,
        trajectories=({"file": str(path), **placed},),
    )


def plan_along(path, cameras=(CAMERA,), **placed):
    return plan_crowd(
        crowd_along(path, **placed),
        cameras,
        WatchlistConfig(size=2, mated_share=0.5),
        seed=1,
        domain=IdentityDomain.SCENARIO,
        recordings={str(path): read_trajectories(path)},
    )


def test_path_alone_is_a_recording():
    """`trajectories = "a.txt"` is short for a table with that file."""
    short = CrowdConfig(trajectories="a.txt")
    assert short == CrowdConfig(trajectories=({"file": "a.txt"},))
    assert CrowdConfig.model_validate(short.model_dump(mode="json")) == short


@pytest.fixture
def database(tmp_path):
    return write_sqlite(tmp_path / "walks.sqlite", paths())


def test_both_formats_hold_the_same_paths(database, tmp_path):
    """A database and a text of the same rows are read alike, in whatever order."""
    text = write_text(tmp_path / "walks.txt", reversed(paths()))
    one, other = read_trajectories(database), read_trajectories(text)
    assert one.fps == other.fps == FPS
    assert one.n_people == other.n_people == 3
    np.testing.assert_array_equal(one.person, other.person)
    np.testing.assert_array_equal(one.frame, other.frame)
    np.testing.assert_allclose(one.place_m, other.place_m, atol=1e-4)
    assert one.sha256 == file_sha256(database)


def test_text_in_centimetres_is_read_as_metres(tmp_path):
    """Experiments state x/cm in their header."""
    rows = [(p, f, 100 * x, 100 * y) for p, f, x, y in paths()]
    head = (
        "# description: corridor\n# framerate: 10 fps\n# PersID Frame x/cm y/cm z/cm\n"
    )
    read = read_trajectories(write_text(tmp_path / "cm.txt", rows, head=head))
    assert read.place_m[:, 0].max() == pytest.approx(17.0)


def test_people_are_where_the_recording_says_at_every_moment(database):
    """Between frames they walk straight on; heads and gait are the crowd's own."""
    plan = plan_along(database)
    walk = plan.cameras[0].walks[0]
    assert [w.start_s for w in plan.cameras[0].walks] == [0.0, 0.0, 0.0]
    moments = np.arange(len(walk.rows)) * TICK_S
    np.testing.assert_allclose(walk.rows[:, 0], 14.0 - 1.3 * moments, atol=1e-9)
    assert walk.at(3.33).x_m == pytest.approx(14.0 - 1.3 * 3.33, abs=1e-6)
    assert abs(walk.at(3.0).heading_deg % 360.0 - 180.0) < 2.0
    assert walk.towards
    assert walk.at(3.0).travelled_m == pytest.approx(3.9, abs=0.1)


def test_paths_are_turned_and_moved_on_to_the_street(tmp_path):
    """A corridor along +y, elsewhere, is laid along the street."""
    rows = [(p, f, 3.0 - y, 100.0 + x) for p, f, x, y in paths()]
    moved = write_sqlite(tmp_path / "elsewhere.sqlite", rows)
    walk = plan_along(moved, rotation_deg=-90.0, origin_m=(-100.0, 3.0)).cameras[0]
    np.testing.assert_allclose(walk.walks[0].rows[0, :2], (14.0, -0.4), atol=1e-9)


def test_clip_begins_where_start_s_says(database):
    """Frame 0 is shown at `start_s`; what lies before the clip is not walked in it."""
    late = plan_along(database, start_s=2.0).cameras[0].walks[0]
    assert late.start_s == pytest.approx(2.0)
    early = plan_along(database, start_s=-4.0).cameras[0].walks[0]
    assert early.at(0.0).x_m == pytest.approx(14.0 - 5.2, abs=1e-6)


def test_who_is_missing_for_long_has_left(tmp_path):
    """A gap of two seconds ends a walk, one of half a second does not."""
    rows = paths(n_people=1)
    gap = [row for row in rows if not 60 <= row[1] < 80]
    blink = [row for row in rows if not 60 <= row[1] < 65]
    broken = plan_along(write_sqlite(tmp_path / "gap.sqlite", gap)).cameras[0]
    whole = plan_along(write_sqlite(tmp_path / "blink.sqlite", blink)).cameras[0]
    assert len(broken.walks) == 1
    assert broken.walks[0].end_s == pytest.approx(5.9)
    assert whole.walks[0].end_s == pytest.approx(11.9)


def test_one_person_is_one_person_past_every_camera(database):
    """Two cameras over one recording see the same people walk the same paths."""
    second = CAMERA.model_copy(update={"camera_id": "cam2"})
    plan = plan_along(database, (CAMERA, second))
    assert plan.cameras[0].people == plan.cameras[1].people
    assert len(set(plan.cameras[0].people)) == 3


def test_who_never_moves_stands_and_faces_the_camera(tmp_path):
    """A recording may hold people who wait all the time."""
    rows = paths() + [(9, frame, 10.0, 1.0) for frame in range(100)]
    walks = plan_along(write_sqlite(tmp_path / "a.sqlite", rows)).cameras[0].walks
    still = next(walk for walk in walks if np.ptp(walk.rows[:, 0]) == 0.0)
    assert still.rows[:, 9].all()
    assert np.all(still.rows[:, 2] == 180.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p, "no such file"),
        (lambda p: p.parent, "is a directory"),
        (lambda p: write_sqlite(p, paths(), drop=["trajectory_data"]), "no table traj"),
        (lambda p: write_sqlite(p, paths(), drop=["metadata"]), "no table metadata"),
        (lambda p: write_sqlite(p, paths(), fps=None), "states no frame rate"),
        (lambda p: write_sqlite(p, paths(), fps="fast"), "states fast fps"),
        (lambda p: write_sqlite(p, paths(), fps=0), "states 0 fps"),
        (lambda p: write_sqlite(p, paths(), version="7"), "database version 7"),
        (lambda p: write_sqlite(p, []), "holds no paths"),
        (lambda p: write_sqlite(p, [(1, 0, None, 2.0)]), "1 of 1 rows"),
        (lambda p: write_sqlite(p, [(1, 0, "a", 2.0)]), "no numbers"),
        (lambda p: write_sqlite(p, [*paths(), (1, 0, 1.0, 1.0)]), "two places"),
        (lambda p: write_text(p, paths(), head=""), "states no frame rate"),
        (lambda p: write_text(p, [(1, 0, float("nan"), 1.0)]), "not finite"),
        (lambda p: p.write_text("#framerate: 8\n1 2 three 4\n") and p, "ID FR X Y"),
        (lambda p: p.write_text("#framerate: 8\n1 2 3\n") and p, "ID FR X Y"),
        (lambda p: p.write_bytes(b"\xff\xfe\x00\x01") and p, "neither"),
        (lambda p: p.write_bytes(b"SQLite format 3\0" + bytes(200)) and p, "damaged"),
    ],
    ids=[
        "absent", "folder", "no-paths-table", "no-metadata", "no-rate", "rate-word",
        "rate-zero", "version", "empty", "nan", "words", "twice", "text-no-rate",
        "text-nan", "text-words", "text-short", "binary", "damaged",
    ],
)  # fmt: skip
def test_unusable_recordings_are_refused_in_one_sentence(tmp_path, make, words):
    """Each says of which file what, and what to do."""
    path = make(tmp_path / "bad.sqlite")
    with pytest.raises(TrajectoryFileError, match=words) as caught:
        read_trajectories(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_recording_that_misses_the_zone_says_where_it_lies(database):
    """A wrong origin is answered by the extent of the paths."""
    with pytest.raises(StreetError, match=r"y_m 49\.6 to 50\.4; set origin_m"):
        plan_along(database, origin_m=(0.0, 50.0))


def test_camera_walks_one_recording(database):
    """Two recordings before one camera would be two crowds."""
    crowd = crowd_along(database)
    both = crowd.model_copy(update={"trajectories": crowd.trajectories * 2})
    with pytest.raises(StreetError, match="one recording"):
        plan_crowd(
            both,
            (CAMERA,),
            WatchlistConfig(size=2),
            seed=1,
            domain=IdentityDomain.SCENARIO,
            recordings={},
        )


def test_hash_of_the_recording_names_the_cache_and_stands_in_manifests(
    database, tmp_path
):
    """Another content is another clip, the same content elsewhere is not."""

    def make(path):
        return make_crowd(
            crowd_along(path),
            (CAMERA,),
            WatchlistConfig(size=2, mated_share=0.5),
            seed=1,
            cache_dir=tmp_path / "cache",
            workers=1,
            progress=lambda *_: None,
        )

    made = make(database)
    folder = made.clips[0].path.parent
    told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sources"]
    assert [source["sha256"] for source in told] == [file_sha256(database)]
    copied = tmp_path / "copy.sqlite"
    copied.write_bytes(database.read_bytes())
    assert make(copied).clips[0].path.parent == folder
    other = write_sqlite(tmp_path / "other.sqlite", paths(n_people=2))
    assert make(other).clips[0].path.parent != folder
    out = tmp_path / "out"
    origin = Origin(scenario="tiny", seed=1, version="0.0")
    export(made, out, origin=origin, with_frames=False, progress=lambda *_: None)
    told = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["sources"]
    assert told[0]["detail"] == "3 people at 10 fps"
    assert read_crowd(out, ["cam1"]).sources == made.sources
    assert len(made.clips[0].passages) == 3


def test_command_ends_with_exit_code_2(tmp_path):
    """What is wrong with a recording is the user's to mend."""
    scenario = tmp_path / "mine.toml"
    scenario.write_text(
        '[scenario]\ntitle = "Mine"\n[[cameras]]\ncamera_id = "a"\n'
        '[[crowd.trajectories]]\nfile = "nowhere.sqlite"\n',
        encoding="utf-8",
    )
    finished = subprocess.run(
        [sys.executable, "harness.py", "crowd", str(scenario), "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    assert "nowhere.sqlite" in finished.stderr
