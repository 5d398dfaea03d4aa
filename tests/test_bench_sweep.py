"""Sweeps: resumed, survived, and the same wherever they run."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from functools import partial

import pytest

import harness
from bench.errors import BenchError
from bench.planning.sweep import on_processes, on_ray, read_cells, run_sweep
from commands.exit_code import ExitCode
from scenarios.plan_loader import REFERENCE_CALIBRATION, load_calibration
from sim.capacity import Question
from sim.site import HardwareConfig, SiteConfig, TargetConfig
from sim.sweep import grid, run_sweep_cell

QUESTION = Question(
    calibration=load_calibration(REFERENCE_CALIBRATION),
    site=SiteConfig(cameras=4, fps=10.0),
    target=TargetConfig(),
    hardware=HardwareConfig(),
    seed=5,
    n_replications=2,
)
CELLS = grid([("fps", (10.0, 20.0)), ("passages_per_min", (30.0, 60.0))])


def _in_this_process(question, cells):
    return (run_sweep_cell(question, cell) for cell in cells)


def _nothing(*_):
    pass


def _sweep(folder, run=_in_this_process, cells=CELLS, question=QUESTION):
    return run_sweep(question, cells, folder=folder, run=run, progress=_nothing)


def test_grid_crosses_every_range():
    """Each combination once, the last range fastest."""
    assert [dict(cell.settings) for cell in CELLS] == [
        {"fps": 10.0, "passages_per_min": 30.0},
        {"fps": 10.0, "passages_per_min": 60.0},
        {"fps": 20.0, "passages_per_min": 30.0},
        {"fps": 20.0, "passages_per_min": 60.0},
    ]


def test_an_interrupted_command_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    """What is kept is counted, and the next command is written out."""

    def interrupt(*_arguments, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("commands.sweep.run_sweep", interrupt)
    monkeypatch.setattr(
        sys,
        "argv",
        ["harness", "sweep", "van", "--vary", "fps=5:10:5", "--out", str(tmp_path)],
    )
    with pytest.raises(SystemExit) as ended:
        harness.main()
    assert ended.value.code == ExitCode.NOT_VALID
    said = capsys.readouterr().err
    (folder,) = tmp_path.iterdir()
    assert "0 of 2 cells are kept" in said
    assert f"--resume {folder}" in said


def test_an_interrupted_sweep_computes_only_what_it_lacks(tmp_path):
    """Finished cells are read, not computed again; the result is the whole one."""
    computed = []

    def stop_after_two(question, cells):
        for cell in cells:
            if len(computed) == 2:
                raise KeyboardInterrupt
            computed.append(cell.index)
            yield run_sweep_cell(question, cell)

    with pytest.raises(KeyboardInterrupt):
        _sweep(tmp_path / "a", stop_after_two)
    assert sorted(read_cells(tmp_path / "a")) == [0, 1]

    def note(question, cells):
        for cell in cells:
            computed.append(cell.index)
            yield run_sweep_cell(question, cell)

    resumed = _sweep(tmp_path / "a", note)
    assert computed == [0, 1, 2, 3]
    assert resumed == _sweep(tmp_path / "b")


def test_another_grid_cannot_be_resumed(tmp_path):
    """Cells of another sweep are not taken for one's own."""
    _sweep(tmp_path, cells=CELLS[:1])
    other = grid([("fps", (5.0,)), ("passages_per_min", (30.0,))])
    with pytest.raises(BenchError, match="its own grid"):
        _sweep(tmp_path, cells=other)


class _Deadly(float):
    """A number whose arrival kills the process, once."""

    def __reduce__(self):
        return _die_once, (float(self), os.environ["LFR_TEST_DEADLY"])


def _die_once(value, flag):
    if not os.path.exists(flag):  # noqa: PTH110
        with open(flag, "w", encoding="utf-8"):  # noqa: PTH123
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def test_a_killed_worker_costs_only_its_own_cell(tmp_path, monkeypatch):
    """SIGKILL in one cell: it is computed again, and the sweep is the whole one."""
    monkeypatch.setenv("LFR_TEST_DEADLY", str(tmp_path / "flag"))
    deadly = replace(CELLS[1], settings=(("fps", _Deadly(10.0)), CELLS[1].settings[1]))
    cells = (CELLS[0], deadly, *CELLS[2:])
    found = _sweep(tmp_path / "a", partial(on_processes, workers=2), cells)
    assert (tmp_path / "flag").exists()
    assert found == _sweep(tmp_path / "b")


@pytest.mark.slow
def test_ray_gives_what_this_machine_gives(tmp_path):
    """Two hundred cells on two Ray workers equal the local sweep, to the bit."""
    pytest.importorskip("ray")
    cells = grid(
        [
            ("fps", tuple(4.0 + 0.5 * k for k in range(20))),
            ("passages_per_min", tuple(20.0 + 5.0 * k for k in range(10))),
        ]
    )
    assert len(cells) == 200
    local = _sweep(tmp_path / "local", partial(on_processes, workers=2), cells)
    cluster = _sweep(tmp_path / "ray", partial(on_ray, workers=2), cells)
    assert cluster == local


@pytest.mark.slow
def test_ray_survives_a_killed_worker(tmp_path, monkeypatch):
    """A worker process of the cluster dies in a cell: Ray computes it again."""
    ray = pytest.importorskip("ray")
    # The cluster's processes cannot import a test.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setenv("LFR_TEST_DEADLY", str(tmp_path / "flag"))
    deadly = replace(CELLS[1], settings=(("fps", _Deadly(10.0)), CELLS[1].settings[1]))
    cells = (CELLS[0], deadly, *CELLS[2:])
    found = _sweep(tmp_path / "a", partial(on_ray, workers=2), cells)
    assert (tmp_path / "flag").exists()
    assert found == _sweep(tmp_path / "b")
