"""Requests made up from the service's own contract, valid ones and others: no 5xx.

    python -m bench.suites.service_schema [URL]

Without an address, a service of its own is started on a small watchlist. Beside 5xx,
each answer is held to what the contract says of it: status, type and body.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import dataclass

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from rich.console import Console
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from bench.suites.service_process import serving_small

_N_REQUESTS = 5000
_TIMEOUT_S = 30.0
_CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What came of the requests.

    Attributes:
        n_requests: Made.
        n_operations: Kinds of them.
        statuses: How often each was answered.
        failures: What broke the contract, one line each.
    """

    n_requests: int
    n_operations: int
    statuses: dict[int, int]
    failures: tuple[str, ...]


def open_schema(url):
    """Read a service's contract."""
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


def attack(schema, *, n_requests, seed, known):
    """Make up at least so many requests and hold the answers to the contract.

    Args:
        schema: As `open_schema` read it.
        n_requests: Over all operations, half valid, half not.
        seed: The same requests again.
        known: Path parameters of things that exist: without them, most made-up
            requests would end in a 404.
    """
    operations = [found.ok() for found in schema.get_all_operations()]
    aims = [(o, mode, {}) for o in operations for mode in GenerationMode]
    for operation in operations:
        there = {k: v for k, v in known.items() if f"{{{k}}}" in operation.path}
        if there:
            aims += [(operation, mode, there) for mode in GenerationMode]
    share = math.ceil(n_requests / len(aims))
    statuses, failures = Counter(), []
    with requests.Session() as session:
        # Some operations have few different requests; more rounds make up for it.
        for round_number in range(20):
            for operation, mode, there in aims:
                strategy = operation.as_strategy(
                    generation_mode=mode, path_parameters=there or None
                )
                what = f"{operation.label} ({mode.value})"
                try:
                    _make_requests(
                        strategy,
                        session,
                        n_examples=share,
                        seed=seed + round_number,
                        statuses=statuses,
                    )
                except Unsatisfiable:
                    # Where nothing can be said, nothing wrong can be said.
                    continue
                except (FailureGroup, requests.RequestException) as error:
                    said = " ".join(str(error).split())
                    failures.append(f"{what}: {said[:900]}")
            if statuses.total() >= n_requests:
                break
    return Attack(
        n_requests=statuses.total(),
        n_operations=len(operations),
        statuses=dict(sorted(statuses.items())),
        failures=tuple(failures),
    )


def _make_requests(strategy, session, *, n_examples, seed, statuses):
    @seeded(seed)
    @settings(
        max_examples=n_examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
        report_multiple_bugs=False,
    )
    @given(case=strategy)
    def one(case):
        if case.operation.path.endswith("/stream"):
            # A stream of events has no end to wait for; its head is an answer too.
            words = case.as_transport_kwargs()
            with session.request(**words, stream=True, timeout=_TIMEOUT_S) as answer:
                statuses[answer.status_code] += 1
                assert answer.status_code < 500
            return
        answer = case.call(session=session, timeout=_TIMEOUT_S)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=_CHECKS)

    one()


def _attack_at(url):
    """Give the requests a watchlist to reach, and make them."""
    made = requests.post(
        f"{url}/v1/watchlists", json={"name": "trial"}, timeout=_TIMEOUT_S
    )
    made.raise_for_status()
    return attack(
        open_schema(url), n_requests=_N_REQUESTS, seed=1, known={"name": "trial"}
    )


def main() -> None:
    """Make 5,000 requests; print what was answered; exit 1 if anything broke."""
    if len(sys.argv) > 1:
        found = _attack_at(sys.argv[1])
    else:
        with serving_small() as served:
            found = _attack_at(served.url)
    console = Console()
    console.print(
        f"{found.n_requests:,} requests to {found.n_operations} operations: "
        + ", ".join(f"{n:,} x {status}" for status, n in found.statuses.items())
    )
    for failure in found.failures:
        console.print(failure, markup=False)
    n_5xx = sum(n for status, n in found.statuses.items() if status >= 500)
    console.print(
        f"5xx: {n_5xx}; answers that break the contract: {len(found.failures)}"
    )
    sys.exit(1 if found.failures or n_5xx else 0)


if __name__ == "__main__":
    main()
