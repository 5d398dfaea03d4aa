"""The published record: misprints accounted for, bad cells named."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from scenarios.errors import ScenarioError
from scenarios.evidence.evidence import (
    SHIPPED_RECORD,
    find_site,
    load_corrections,
    load_deployments,
    load_facts,
    load_sites,
)
from sim.policy.config import GroupsConfig
from sim.policy.parameters import ParametersConfig


@pytest.fixture(scope="module")
def record():
    return load_deployments()


def _rows():
    with SHIPPED_RECORD.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def _written(folder, rows):
    path = folder / "record.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def test_shipped_record_has_the_published_totals(record):
    """Counts by year are those that the published notes print."""
    y2024 = record.between(np.datetime64("2024-01-01"), np.datetime64("2025-01-01"))
    assert len(record) == 259
    assert len(y2024) == 180
    assert int(y2024.arrests.sum()) == 575
    assert int(y2024.false_alerts.sum()) == 27


def test_split_of_outcomes_counts_as_not_printed_before_2025(record):
    """One column was printed twice until then."""
    is_early = record.date < np.datetime64("2025-01-01")
    assert np.isnan(record.other_outcome[is_early]).all()
    assert not np.isnan(record.other_outcome[~is_early]).any()


def test_known_misprint_is_corrected(record):
    """Westminster, 10 January 2024: one alert cannot hold two true ones."""
    row = int(np.flatnonzero(record.date == np.datetime64("2024-01-10"))[0])
    assert record.alerts[row] == 1
    assert record.not_engaged[row] == 0
    assert record.remark[row] == ""
    assert any(each.printed == "19199" for each in load_corrections())


def test_every_recorded_place_has_a_borough(record):
    """The keywords cover the shipped record."""
    assert "elsewhere" not in record.borough


@pytest.mark.parametrize(
    ("location", "site"),
    [
        ("High St, Uxbridge", "Uxbridge"),
        ("Uxbridge Rd, Shepherds Buh", "Shepherd's Bush"),
        ("Powis St,", "Woolwich"),
        ("Kingsland High St", "Dalston"),
        ("The Shire, Hobbiton", "Hobbiton"),
    ],
)
def test_longest_keyword_names_the_site(location, site):
    """A street that names two places belongs to the longer keyword."""
    assert find_site(location, load_sites()).site == site


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("total_alerts", "-3", "whole number, 0 or more"),
        ("arrests", "2.5", "whole number, 0 or more"),
        ("min_threshold", "1.7", "threshold from 0 to 1"),
        ("duration_min", "soon", "minutes from 1 to 1440"),
        ("date", "03/02/2024", "date such as"),
        ("far_printed", "130%", "percentage from 0 to 100"),
        ("watchlist_size", "0", "1 or more"),
        ("location", "", "filled in"),
    ],
)
def test_bad_cell_is_named_with_file_line_and_column(tmp_path, column, value, said):
    """One sentence says where the cell is and what it should be."""
    rows = _rows()[:60]
    rows[41][rows[0].index(column)] = value
    path = _written(tmp_path, rows)
    with pytest.raises(ScenarioError) as caught:
        load_deployments(path)
    message = str(caught.value)
    assert f"{path}, line 42, column '{column}'" in message
    assert said in message
    assert "\n" not in message


def test_missing_column_names_the_one_that_may_be_meant(tmp_path):
    """A misspelt header is told apart from a missing one."""
    rows = _rows()[:3]
    rows[0][rows[0].index("arrests")] = "arests"
    with pytest.raises(ScenarioError, match=r"'arrests' is missing; rename 'arests'"):
        load_deployments(_written(tmp_path, rows))


def test_row_that_does_not_add_up_is_kept_with_a_remark(tmp_path):
    """A printed record may be wrong; it is shown, not refused."""
    rows = _rows()[:30]
    rows[20][rows[0].index("true_confirmed")] = "9"
    record = load_deployments(_written(tmp_path, rows))
    assert sum(bool(remark) for remark in record.remark) == 1


def test_optional_columns_may_be_absent(tmp_path):
    """Outcomes, faces and notes need not be there."""
    keep = [i for i, name in enumerate(_rows()[0]) if name not in {"note", "use_case"}]
    path = _written(tmp_path, [[row[i] for i in keep] for row in _rows()[:40]])
    assert len(load_deployments(path)) == 39


def test_joining_a_record_with_itself_adds_nothing(record):
    """Rows that two records share count once."""
    half = record.where(np.arange(len(record)) < 130)
    joined = half.joined(record)
    assert len(joined) == len(record)
    assert bool(np.all(np.diff(joined.date) >= np.timedelta64(0, "D")))


def test_every_parameter_names_a_fact_and_agrees_with_it():
    """Defaults are the facts' own figures, not copies that drift."""
    facts = load_facts()
    for name, body in ParametersConfig().model_dump().items():
        if not isinstance(body, dict):
            continue
        fact = facts[body["fact"]]
        if "median" in body:
            assert body["median"] == fact.value, name
        elif fact.numerator is not None:
            assert (body["count"], body["of"]) == (fact.numerator, fact.denominator)
        else:
            assert body["count"] / body["of"] == pytest.approx(fact.value), name
    anchors = {fact.value for key, fact in facts.items() if key.startswith("trr_")}
    assert set(ParametersConfig().recognition) == anchors
    assert GroupsConfig().crowd_shares[2] == facts["london_shares_2011"].value


def test_facts_state_source_date_and_mark():
    """Nothing without a source; assumptions say that they are."""
    for fact in load_facts().values():
        assert fact.source
        assert np.datetime64(fact.date, "D") > np.datetime64("2010-01-01")
        assert ("assumption" in fact.source) == (fact.mark.value == "A")


def test_evidence_folder_holds_no_stray_file():
    """What ships is what the audit pack lists."""
    names = {p.name for p in Path(SHIPPED_RECORD).parent.iterdir() if p.is_file()}
    wanted = {"deployments.csv", "sites.csv", "corrections.csv", "facts.toml"}
    assert wanted <= names
