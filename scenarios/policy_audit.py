"""Exports a finished policy run for auditors, and runs such an export again.

Owns what goes into a pack, and how its own scenario and evidence are read back:
nothing but the pack and the code takes part in a re-run. Part of the shell. Knows
nothing of archives.
"""

from __future__ import annotations

import json
from importlib import metadata
from typing import TYPE_CHECKING

from bench.policy.outcomes import run_policy
from bench.policy.records import Evidence
from bench.policy.report.audit import (
    AuditPackError,
    Verification,
    export_audit_pack,
    verify_audit_pack,
)
from bench.policy.report.content import as_json
from bench.policy.report.write import POLICY_NUMBERS, write_policy
from scenarios.evidence.evidence import (
    SHIPPED_RECORD,
    evidence_files,
    load_deployments,
    load_facts,
)
from scenarios.policy_loader import job_of
from scenarios.policy_schema import PolicyScenario, RateSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["export_policy", "verify_policy"]

# Packages whose version could change a figure of the policy model.
_PACKAGES = ("numba", "numpy", "pydantic", "scipy")


def export_policy(
    results: Path, target: Path, *, name: str, record: Path | None = None
) -> Path:
    """Pack a finished policy run for somebody else to run again.

    Args:
        results: Folder that `scenarios.policy_run.policy` has written.
        target: Path of the archive.
        name: Of the scenario.
        record: The record that the run was given; None for the shipped one.

    Raises:
        AuditPackError: If the folder holds no policy run, or one whose error rates
            come from files that a pack cannot hold.
    """
    try:
        text = (results / "policy.json").read_text(encoding="utf-8")
        content = json.loads(text)
        scenario, kind = content["scenario"], content["kind"]
        rival = str(content["against"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise AuditPackError(path=results, reason=reason) from error
    other = scenario.pop("against", None)
    if kind != "policy":
        raise AuditPackError(path=results, reason=f"a {kind}, not a policy run")
    inputs = {"scenario.json": as_json(scenario)}
    if other is not None:
        inputs["against.json"] = as_json(other)
    for each in (scenario, other):
        source = None if each is None else each["error_rates"]["source"]
        if source in {RateSource.TABLE, RateSource.RUN}:
            reason = f"error rates from a {source}, which is outside the evidence"
            raise AuditPackError(path=results, reason=reason)
    evidence = {path.name: path for path in evidence_files()}
    if record is not None:
        evidence[SHIPPED_RECORD.name] = record
    return export_audit_pack(
        target,
        inputs=inputs,
        evidence=evidence,
        results=results,
        numbers=POLICY_NUMBERS,
        settings={"name": name, "against": rival},
        versions=_versions(),
    )


def verify_policy(pack: Path, *, work: Path, workers: int) -> Verification:
    """Run a pack again from its own scenario and evidence, and compare hashes.

    Args:
        pack: The archive.
        work: An empty folder.
        workers: Threads.

    Raises:
        AuditPackError: If the archive is no pack.
    """

    def rerun(unpacked: Path, settings: Mapping[str, object], out: Path) -> None:
        folder = unpacked / "evidence"
        evidence = Evidence(
            record=load_deployments(folder / SHIPPED_RECORD.name, folder=folder),
            facts=load_facts(folder / "facts.toml"),
        )
        scenario, plain = _read(unpacked / "inputs" / "scenario.json")
        rival, content = None, plain
        if (unpacked / "inputs" / "against.json").is_file():
            other, also = _read(unpacked / "inputs" / "against.json")
            rival = job_of(other, name=str(settings["against"]))
            content = {**plain, "against": also}
        result = run_policy(
            job_of(scenario, name=str(settings["name"])),
            evidence,
            against=rival,
            workers=workers,
            progress=_tell_nobody,
        )
        write_policy(result, out, scenario=content, provenance={})

    return verify_audit_pack(pack, work=work, rerun=rerun, versions=_versions())


def _read(path: Path) -> tuple[PolicyScenario, dict[str, object]]:
    text = path.read_text(encoding="utf-8")
    try:
        scenario = PolicyScenario.model_validate_json(text)
    except ValueError as error:
        raise AuditPackError(path=path, reason=str(error)) from error
    plain: dict[str, object] = json.loads(scenario.model_dump_json())
    return scenario, plain


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in _PACKAGES}


def _tell_nobody(stage: str, done: int, of: int) -> None:
    """A re-run is awaited, not watched."""
