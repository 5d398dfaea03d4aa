"""Scenarios are read, overridden, validated, and blamed line by line."""

from __future__ import annotations

import pytest

from lfr_errors import BadInputError
from scenarios import loader
from scenarios.errors import (
    OverrideError,
    ScenarioNotFoundError,
    ScenarioSyntaxError,
    ScenarioValueError,
    UnknownKeyError,
)


@pytest.fixture
def scenario_file(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


MINIMAL = '[scenario]\ntitle = "Mine"\n[[cameras]]\ncamera_id = "a"\n'


@pytest.mark.parametrize("name", sorted(loader.shipped()))
def test_shipped_scenario_is_valid(name):
    """Whatever the package ships can be run as it stands."""
    assert loader.load(name).scenario.title


def test_unknown_key_names_nearest_key_file_and_line(scenario_file):
    """A typing error is answered by the key that was meant."""
    path = scenario_file(MINIMAL + "[crowd]\n\nfootfal_per_min = 3\n")
    with pytest.raises(UnknownKeyError) as raised:
        loader.load(path)
    assert raised.value.nearest == "footfall_per_min"
    assert f"{path}, line 7" in str(raised.value)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("crowd.footfall_per_min=-3", ("greater than 0", "got -3", "--set")),
        ("crowd.footfall_per_min=many", ("must be a number", "'many'")),
        ("cameras=[]", ("cameras", "at least one entry")),
        ("watchlist.size=30000", ("must not exceed", "30000 of 20000")),
        ("matcher.decision.threshold=3", ("[-1, 1]", "got 3")),
        ("load=3", ("load", "table of settings")),
        ("cameras.0.zone_near_m=20", ("zone_near_m must be below", "swap or widen")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_value_is_one_sentence_with_the_remedy(scenario_file, override, words):
    """What was required, what arrived, where, and what to do about it."""
    with pytest.raises(ScenarioValueError) as raised:
        loader.load(scenario_file(MINIMAL), overrides=[override])
    message = str(raised.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_bad_value_in_the_file_is_found_on_its_line(scenario_file):
    """The second camera's line, not the first camera's."""
    text = MINIMAL + 'fps = 5\n[[cameras]]\ncamera_id = "b"\nfps = 0.0\n'
    path = scenario_file(text)
    with pytest.raises(ScenarioValueError, match=r"line 8"):
        loader.load(path)


def test_two_cameras_of_one_name_are_refused(scenario_file):
    """A camera's name is its identity in every result."""
    path = scenario_file(MINIMAL + '[[cameras]]\ncamera_id = "a"\n')
    with pytest.raises(ScenarioValueError, match="camera ids must differ"):
        loader.load(path)


def test_flag_beats_file_and_seed_zero_is_a_seed(scenario_file):
    """Precedence is flag, file, default; zero is a value."""
    path = scenario_file(MINIMAL + "[crowd]\nduration_s = 9.0\n")
    scenario = loader.load(path, overrides=["crowd.duration_s=4"], seed=0)
    assert scenario.crowd.duration_s == 4.0
    assert scenario.scenario.seed == 0


def test_resolved_scenario_loads_to_itself(scenario_file):
    """What a run stores is enough to run it again."""
    scenario = loader.load(scenario_file(MINIMAL))
    assert type(scenario).model_validate(loader.resolved(scenario)) == scenario


@pytest.mark.parametrize("text", ["novalue", "=3", "cameras.7.fps=3", "a..b=1"])
def test_override_without_a_place_to_go_is_refused(scenario_file, text):
    """An override that cannot be applied is never ignored."""
    with pytest.raises(OverrideError):
        loader.load(scenario_file(MINIMAL), overrides=[text])


def test_missing_scenario_suggests_the_nearest():
    """A wrong name is answered by the shipped ones."""
    with pytest.raises(ScenarioNotFoundError, match="did you mean 'high_street'"):
        loader.load("high_stret")


def test_broken_toml_is_bad_input(scenario_file):
    """The parser's own line and column reach the user."""
    with pytest.raises(ScenarioSyntaxError, match="line 1") as raised:
        loader.load(scenario_file("[scenario\n"))
    assert isinstance(raised.value, BadInputError)
