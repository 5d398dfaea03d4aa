"""Locust's file: camera users and identify users that keep to a scenario's plan.

Owns the meeting of Locust and the harness; loaded by Locust alone, which `harness
locust` starts. Locust patches the standard library when it is imported, so nothing
else imports this file, or what it imports from `bench.swarm`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from locust import events
from locust.runners import MasterRunner, WorkerRunner

from bench.errors import BenchError
from bench.swarm.brief import FOLDER_VARIABLE, read_brief
from bench.swarm.conductor import Conductor, PlanShape
from bench.swarm.users import CameraUser, IdentifyUser, WorkerPart

if TYPE_CHECKING:
    from locust.env import Environment

__all__ = ["CameraUser", "IdentifyUser", "PlanShape"]

if FOLDER_VARIABLE not in os.environ:
    message = (
        f"this file must be started by `harness locust SCENARIO --target URL`, which "
        f"lays down plan and pictures, got no {FOLDER_VARIABLE}; start it so"
    )
    raise BenchError(message)

_LAID = read_brief(Path(os.environ[FOLDER_VARIABLE]))

# No loop: Locust would take its variable for another user class.
CameraUser.settle(_LAID.brief)
IdentifyUser.settle(_LAID.brief)
IdentifyUser.fixed_count = _LAID.brief.n_identify
IdentifyUser.abstract = _LAID.brief.n_identify == 0


@events.init.add_listener
def _take_part(environment: Environment, **_: object) -> None:
    if isinstance(environment.runner, WorkerRunner):
        part = WorkerPart(_LAID, environment)
        CameraUser.part = IdentifyUser.part = part
    elif isinstance(environment.runner, MasterRunner):
        PlanShape.conductor = Conductor(_LAID, environment)
