"""From a policy file to pages, tables and a pack that somebody else can run again."""

from __future__ import annotations

import csv
import json
import re
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.policy.outcomes import run_policy
from bench.policy.records import Evidence
from bench.policy.report.audit import AuditPackError
from bench.policy.report.figures import number_text, share_text, with_unit
from bench.policy.report.write import POLICY_NUMBERS
from scenarios.error_rates import load_error_rates
from scenarios.errors import ScenarioError
from scenarios.evidence.evidence import (
    SHIPPED_RECORD,
    load_deployments,
    load_facts,
)
from scenarios.policy_audit import export_policy, verify_policy
from scenarios.policy_loader import job_of, load_policy, shipped_policies
from scenarios.policy_run import policy, retrodiction
from scenarios.policy_schema import ErrorRatesConfig

SMALL = ("programme.replications=60", "sweep.replications=50", "sweep.weeks=2")


def _tell_nobody(stage, done, of):
    pass


def _run(name, out, *overrides, seed=None):
    return policy(
        name,
        overrides=(*SMALL, *overrides),
        seed=seed,
        against=None,
        record=None,
        out=out,
        workers=1,
        progress=_tell_nobody,
    )


@pytest.fixture(scope="module")
def restructuring(tmp_path_factory):
    out = tmp_path_factory.mktemp("restructuring")
    return _run("restructuring_2025", out, "programme.replications=400"), out


def test_published_totals_lie_in_the_intervals_of_the_model(restructuring):
    """Issue 7, 2: from the facts of 2024 alone, arrests and false alerts of 2025."""
    finished, _ = restructuring
    checks = finished.result.checks
    assert {check.check.measure for check in checks} >= {"arrests", "false_alerts"}
    assert all(check.is_inside for check in checks)


def test_report_says_which_assumption_moves_the_totals_most(restructuring):
    """Issue 7, 2: the drift after the record ends, which nobody can know."""
    finished, out = restructuring
    first = finished.result.influences[0].influences[0]
    assert first.name == "drift of true alerts after the record"
    assert first.name in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["report.html", "transparency.html"])
def test_pages_need_nothing_but_themselves(restructuring, page):
    """No address, no script, and no number that is not one."""
    text = (restructuring[1] / page).read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(?!#)", text)
    assert "<script" not in text
    assert "http" not in text
    assert not re.search(r">\s*(nan|inf|None)\b", text)


def test_every_chart_says_whether_it_is_synthetic_or_recorded(restructuring):
    """In the heading and in the picture itself."""
    text = (restructuring[1] / "report.html").read_text(encoding="utf-8")
    assert text.count('class="chart-svg"') == text.count('class="mark-chip') == 8
    assert "synthetic people" not in text.split("<main>")[1]


def test_policy_json_holds_metrics_by_the_rules_of_run_json(restructuring):
    """Value, interval, denominator and unit for each, and the resolved scenario."""
    content = json.loads((restructuring[1] / "policy.json").read_text())
    assert content["schema_version"] == 1
    assert content["scenario"]["phases"][1]["deployments_per_week"] == 10
    for name in ("arrests", "false_alerts", "change.arrests", "cost_gbp"):
        metric = content["metrics"][name]
        assert metric["low"] <= metric["value"] <= metric["high"]
        assert metric["n"] == 400
        assert metric["unit"]


def test_transparency_report_adds_up(restructuring):
    """Deployments of one simulated year: alerts are true or false, and marked."""
    with (restructuring[1] / "transparency_deployments.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 340
    assert {row["basis"] for row in rows} == {"synthetic"}
    for row in rows:
        parts = int(row["true_alerts"]) + int(row["false_alerts"])
        assert parts == int(row["total_alerts"])
        assert int(row["arrests"]) <= int(row["true_alerts"])
    assert sum(int(row["arrests"]) for row in rows) == pytest.approx(
        restructuring[0].result.programme.total()[0, 9]
    )


@pytest.fixture(scope="module")
def evidence():
    return Evidence(record=load_deployments(), facts=load_facts())


@pytest.mark.parametrize("name", sorted(shipped_policies()))
def test_every_shipped_policy_runs(evidence, name):
    """Each in a short form; a policy with a rival is compared with it."""
    short = (*SMALL, "programme.weeks=36", "sweep.thresholds=[]")
    scenario = load_policy(name, overrides=short)
    rival = scenario.policy.against
    result = run_policy(
        job_of(scenario, name=name),
        evidence,
        against=job_of(load_policy(rival), name=rival) if rival else None,
        workers=1,
        progress=_tell_nobody,
    )
    assert bool(result.differences) == (name != "as_2024")
    assert {each.measure for each in result.estimates} >= {"arrests", "cost_gbp"}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    out = tmp_path_factory.mktemp("audited")
    _run("watchlist_double", out / "run", "programme.weeks=4", seed=11)
    return export_policy(out / "run", out / "pack.zip", name="watchlist_double")


def test_audit_pack_gives_somebody_else_the_same_numbers(pack, tmp_path):
    """Issue 7, 5: export, run again in a clean folder, compare hashes."""
    found = verify_policy(pack, work=tmp_path, workers=1)
    assert found.is_good
    assert found.reproduced == tuple(sorted(POLICY_NUMBERS))
    assert found.versions == ()


def test_another_seed_gives_other_numbers(pack, tmp_path):
    """Equal seeds give equal bytes, as the pack shows; others must not."""
    _run("watchlist_double", tmp_path, "programme.weeks=4", seed=12)
    for name in POLICY_NUMBERS:
        assert (tmp_path / name).read_bytes() != (
            pack.parent / "run" / name
        ).read_bytes()


def test_audit_pack_is_the_same_archive_when_exported_again(pack, tmp_path):
    """No time of day inside: the archive itself can be compared."""
    again = export_policy(
        pack.parent / "run", tmp_path / "x.zip", name="watchlist_double"
    )
    assert again.read_bytes() == pack.read_bytes()


@pytest.mark.parametrize("victim", ["evidence/deployments.csv", "results/policy.json"])
def test_damaged_pack_is_found_out(pack, tmp_path, victim):
    """One byte more in any file, and nothing is run."""
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (b" " if name == victim else b""))
    found = verify_policy(damaged, work=tmp_path / "work", workers=1)
    assert not found.is_good
    assert [each.name for each in found.damaged] == [victim]


def test_other_archives_are_refused(tmp_path):
    """A text file is no pack, and the message says so."""
    path = tmp_path / "note.zip"
    path.write_text("hello")
    with pytest.raises(AuditPackError, match="export it again"):
        verify_policy(path, work=tmp_path / "work", workers=1)


def test_retrodiction_scores_a_record_of_ones_own(tmp_path):
    """Rows that the repository does not hold are foretold beside those it does."""
    with SHIPPED_RECORD.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    later = [["2025-04-0" + str(n), *row[1:]] for n, row in enumerate(rows[-6:], 1)]
    path = tmp_path / "mine.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([rows[0], *later])
    finished = retrodiction(
        "as_2024",
        overrides=(),
        seed=None,
        cut_off="2025-04-01",
        record=path,
        monthly=False,
        out=tmp_path / "out",
    )
    assert len(finished.result.rows) == 6
    content = json.loads((tmp_path / "out" / "policy.json").read_text())
    assert content["record"] == "mine.csv"
    with (tmp_path / "out" / "retrodiction.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 6


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("phases.0.thresold=0.6", "the nearest is 'threshold'"),
        ("phases.0.threshold=1.6", "less than or equal to 1"),
        ("phases.0.sites=['Croyden']", "did you mean 'Croydon'"),
        ("phases.0.deployments_per_week=9", "add vans or days"),
        ("parameters.charged.count=-4", "greater than or equal to 0"),
        (
            "parameters.charged={count=4000,of=1000,fact='charged_or_cautioned'}",
            "above 1 is no probability",
        ),
        ("parameters.recognition=[1.2]", "less than or equal to 1"),
        ("groups.crowd_shares=[0.5,0.6,0.0,0.0,0.0]", "must add up to 1"),
        ("checks.0.fact=rumour", "a fact of the evidence"),
    ],
)
def test_bad_setting_is_one_clear_sentence(override, said):
    """The override is named, and what it should have been."""
    with pytest.raises(ScenarioError) as caught:
        load_policy("restructuring_2025", overrides=[override])
    message = str(caught.value)
    assert said in message
    assert f"--set {override}" in message
    assert "\n" not in message


def test_phases_must_follow_each_other():
    """A rule that joins tables names them."""
    with pytest.raises(
        ScenarioError, match="the top level: phases must begin at week 0"
    ):
        load_policy("restructuring_2025", overrides=["phases.1.from_week=0"])


def test_bad_line_of_a_file_is_named(tmp_path):
    """The file's own line, counted as editors do."""
    path = tmp_path / "mine.toml"
    text = shipped_policies()["as_2024"].read_text(encoding="utf-8")
    path.write_text(text.replace("threshold = 0.64", "threshold = -0.64"))
    line = text.splitlines().index("threshold = 0.64") + 1
    with pytest.raises(ScenarioError, match=rf"mine\.toml, line {line}\)"):
        load_policy(str(path))


def _table(folder, *rows):
    path = folder / "rates.csv"
    header = "threshold,watchlist_size,false_alerts,non_mated,true_alerts,mated"
    path.write_text("\n".join([header, *rows]) + "\n")
    return ErrorRatesConfig.model_validate({"source": "table", "paths": (str(path),)})


def test_error_rates_come_from_a_users_table(tmp_path):
    """Counts in, rates out, with the recognition that the table knows."""
    points = load_error_rates(
        _table(tmp_path, "0.6,1000,10,100000,80,100", "0.6,10000,100,100000,80,100")
    )
    assert points is not None
    assert points.knows_recognition
    rng = np.random.default_rng(1)
    rate = points.fpir(threshold=0.6, watchlist_size=10_000, n=3_000, rng=rng)
    assert float(np.median(rate)) == pytest.approx(1e-3, rel=0.02)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("0.6,1000,11,10,0,0", "column 'false_alerts': must be at most non_mated"),
        ("0.6,1000,-1,10,0,0", "column 'false_alerts': must be a whole number"),
        ("6,1000,1,10,0,0", "column 'threshold': must be a threshold"),
        ("0.6,1000,0,0,0,0", "column 'non_mated': must be 1 or more"),
    ],
)
def test_impossible_rate_names_file_line_and_column(tmp_path, row, said):
    """Issue 7, 4: an impossible probability, a negative count."""
    with pytest.raises(ScenarioError, match=r"rates\.csv, line 2") as caught:
        load_error_rates(_table(tmp_path, row))
    assert said in str(caught.value)


def test_error_rates_come_from_runs_of_the_harness(tmp_path):
    """Scores of passages give every threshold at the run's watchlist."""
    rng = np.random.default_rng(2)
    mated = np.repeat([True, False], [200, 800])
    best = np.where(mated, 0.7, 0.3) + 0.1 * rng.standard_normal(1_000)
    mate = [
        float(score) if is_mated else None
        for score, is_mated in zip(best, mated, strict=True)
    ]
    table = pa.table({"mated": mated, "best_score": best, "mate_score": mate})
    pq.write_table(table, tmp_path / "passages.parquet")
    run = {"metrics": {"watchlist.size": {"value": 1000}}}
    (tmp_path / "run.json").write_text(json.dumps(run))
    points = load_error_rates(
        ErrorRatesConfig.model_validate({"source": "run", "paths": (str(tmp_path),)})
    )
    assert points is not None
    rates = [
        float(np.median(f(threshold=0.5, watchlist_size=1000, n=500, rng=rng)))
        for f in (points.fpir, points.tpir)
    ]
    assert rates[0] == pytest.approx(0.023, abs=0.02)
    assert rates[1] == pytest.approx(0.977, abs=0.03)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567.0, "1 235 000"),
        (1234.4, "1 234"),
        (-12.34, "\N{MINUS SIGN}12.3"),
        (7.0, "7"),
        (0.0123, "0.012"),
    ],
)
def test_numbers_are_written_with_the_digits_they_deserve(value, text):
    """Thin spaces and minus signs as in print."""
    assert number_text(value) == text.replace(" ", "\N{NO-BREAK SPACE}")
    assert with_unit(12.0, "GBP") == "£12"


def test_none_of_many_is_written_with_its_bound():
    """Zero of a thousand is not zero."""
    assert share_text(0.0, 1_000).startswith("below 0.3")
