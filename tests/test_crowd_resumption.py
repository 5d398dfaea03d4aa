"""Interrupted crowds go on where they stopped, to the same bytes; caches stay small."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from commands.options import CacheLimitError, cache_limit_bytes
from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.film.cache import check, file_sha256, making
from synthetic_crowds.film.pruning import prune

# Two pieces, the second of one second.
CROWD = CrowdConfig(duration_s=31.0, footfall_per_min=20.0, population_size=500)
CAMERA = CameraConfig(width_px=160, height_px=120, fps=1.0)
WATCHLIST = WatchlistConfig(size=4, mated_share=0.5)


def make(cache_dir, *, stop_after=None, workers=1):
    reports = []

    def progress(title, done, total):
        reports.append((title, done, total))
        if (title, done) == stop_after:
            raise KeyboardInterrupt

    crowd = make_crowd(
        CROWD,
        (CAMERA,),
        WATCHLIST,
        seed=5,
        cache_dir=cache_dir,
        workers=workers,
        progress=progress,
    )
    return crowd, reports


def digests(cache_dir):
    """Every file of a cache, by its place."""
    return {
        path.relative_to(cache_dir).as_posix(): file_sha256(path)
        for path in sorted(cache_dir.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A crowd that nobody interrupted."""
    cache_dir = tmp_path_factory.mktemp("whole")
    return make(cache_dir)[0], digests(cache_dir)


@pytest.mark.parametrize(
    "stop_after", [("clips", 31), ("portraits", 2)], ids=["clip", "portraits"]
)
def test_interrupted_crowd_ends_in_the_same_bytes(whole, tmp_path, stop_after):
    """What was finished is not made again, and no file tells of the interruption."""
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, stop_after=stop_after)
    crowd, reports = make(tmp_path)
    assert digests(tmp_path) == whole[1]
    assert crowd.clips_sha256 == whole[0].clips_sha256
    title, _ = stop_after
    # Half a minute is a piece; one that was not finished begins anew.
    kept = 30 if title == "clips" else 2
    assert min(n for name, n, _ in reports if name == title) == kept


def test_workers_do_not_change_a_byte(whole, tmp_path):
    """Pieces come out the same, whoever renders them and in whatever order."""
    make(tmp_path, workers=2)
    assert digests(tmp_path) == whole[1]


def test_joined_clip_shows_every_piece(whole):
    """Joining loses no frame, and truth counts on over the joints."""
    clip = whole[0].clips[0]
    with av.open(str(clip.path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
    assert len(frames) == clip.n_frames == 31
    assert [frame.time for frame in frames] == pytest.approx(list(range(31)))
    assert [i for i, f in enumerate(frames) if f.key_frame] == list(range(31))
    assert (np.diff(clip.faces.frame_index) >= 0).all()
    assert clip.faces.frame_index.max() >= 30


def draw_apart(tmp_path):
    """Make the crowd in a process group of its own, until one piece is there."""
    program = f"""
from tests.test_crowd_resumption import make
from pathlib import Path
if __name__ == "__main__":
    make(Path({str(tmp_path)!r}), workers=2)
"""
    root = Path(__file__).parents[1]
    script = tmp_path.with_name(f"{tmp_path.name}_killed.py")
    script.write_text(program, encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
    )
    deadline = time.monotonic() + 300.0
    while not list(tmp_path.glob("clips/.*.draft/pieces/*.npz")):
        assert child.poll() is None, "it finished before it could be killed"
        assert time.monotonic() < deadline, "no piece was finished"
        time.sleep(0.02)  # noqa: TID251
    return child


@pytest.mark.slow
def test_killed_crowd_goes_on_to_the_same_bytes(whole, tmp_path):
    """SIGKILL of a process with workers loses unfinished pieces and nothing else."""
    child = draw_apart(tmp_path)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert not list(tmp_path.glob("clips/[0-9a-f]*"))
    make(tmp_path, workers=2)
    assert digests(tmp_path) == whole[1]


@pytest.mark.slow
def test_workers_leave_with_a_killed_parent(tmp_path):
    """SIGKILL of the command alone leaves nobody at work behind."""
    child = draw_apart(tmp_path)
    workers = psutil.Process(child.pid).children(recursive=True)
    assert workers
    child.kill()
    child.wait()
    _, alive = psutil.wait_procs(workers, timeout=20.0)
    for process in alive:
        process.kill()
    assert not alive


def fill(cache_dir, name):
    """A finished folder."""
    folder = cache_dir / "clips" / name
    with making(folder, seed=1) as draft:
        (draft / "x").write_bytes(bytes(1000))
    return folder


def forget(folder, used_s):
    """Let go of a folder as if the process that used it had ended then."""
    from synthetic_crowds.film import cache

    cache._let_go(folder / "manifest.json")
    os.utime(folder / "manifest.json", (used_s, used_s))


def test_pruning_removes_what_was_least_lately_used(tmp_path):
    """The oldest go first, and only as many as it takes."""
    folders = [fill(tmp_path, name) for name in "ab"]
    forget(folders[0], 3)
    forget(folders[1], 1)
    size = sum(path.stat().st_size for path in folders[0].iterdir())
    done = prune(tmp_path, limit_bytes=size)
    assert done.removed == (folders[1],)
    assert done.kept_bytes == size
    assert folders[0].exists()


def test_pruning_spares_what_is_in_use(tmp_path):
    """Folders that a process has read, and drafts under way, stay."""
    used = fill(tmp_path, "a")
    assert check(used)
    with making(tmp_path / "clips" / "b", seed=1) as draft:
        (draft / "x").write_bytes(bytes(10))
        done = prune(tmp_path, limit_bytes=0)
        assert not done.removed
        assert done.in_use_bytes == done.kept_bytes > 1000
        assert draft.exists()
    assert used.exists()


def test_pruning_takes_abandoned_drafts(tmp_path):
    """Unfinished work of a dead process counts, and goes like anything else."""

    def fail():
        with making(tmp_path / "clips" / "b", seed=1) as draft:
            (draft / "x").write_bytes(bytes(10))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert prune(tmp_path, limit_bytes=100).removed == ()
    assert len(prune(tmp_path, limit_bytes=0).removed) == 1
    assert not list((tmp_path / "clips").iterdir())


@pytest.mark.parametrize("text", ["much", "-1", "nan"])
def test_cache_limit_that_is_no_size_is_refused(monkeypatch, text):
    """A limit of the environment is checked as an option is."""
    monkeypatch.setenv("LFR_CACHE_LIMIT_GB", text)
    with pytest.raises(CacheLimitError, match=text):
        cache_limit_bytes()
    assert cache_limit_bytes(2.0) == 2_000_000_000
