"""Crowds rendered elsewhere are those rendered here; the cluster is a stand-in."""

from __future__ import annotations

from test_crowd_making import CAMERAS, CROWD, WATCHLIST, make

from bench.load.ray_crew import ray_crew
from synthetic_crowds.crowd import make_crowd


class AtOnce:
    """As much of `ray` as a crew needs: tasks run when they are asked for."""

    def remote(self, **_asked):
        """Make tasks of a function."""

        class Task:
            def __init__(self, function) -> None:
                self._function = function

            def remote(self, *arguments):
                return _Ref(self._function(*arguments))

        return Task

    def wait(self, refs, *, num_returns):
        """Return the last ones first: order is not to matter."""
        return refs[-num_returns:], refs[:-num_returns]

    def get(self, ref):
        """Return what a task returned."""
        return ref.value


class _Ref:
    def __init__(self, value) -> None:
        self.value = value


def test_a_crowd_rendered_elsewhere_is_the_same_to_the_byte(tmp_path):
    """Files come home under their names; every job is reported."""
    reports = []
    here, _ = make(tmp_path / "here")
    there = make_crowd(
        CROWD,
        CAMERAS,
        WATCHLIST,
        seed=5,
        cache_dir=tmp_path / "there",
        workers=1,
        progress=lambda *report: reports.append(report),
        crew=ray_crew(AtOnce()),
    )
    assert there.clips_sha256 == here.clips_sha256
    assert there.truth_sha256 == here.truth_sha256
    assert there.watchlist.sha256 == here.watchlist.sha256
    assert ("clips", 8, 8) in reports
    assert ("portraits", 3, 3) in reports
