"""Imports point one way: the arrows of DESIGN.md, parsed from every file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Which packages of ours each package may import, beside itself.
ARROWS = {
    "lfr_errors": set(),
    "sim": {"lfr_errors"},
    "matcher": {"lfr_errors"},
    "synthetic_crowds": {"lfr_errors"},
    "bench": {"lfr_errors", "matcher", "sim", "synthetic_crowds"},
    "scenarios": {"lfr_errors", "bench", "matcher", "sim", "synthetic_crowds"},
    "training": {"lfr_errors", "bench", "matcher", "scenarios", "synthetic_crowds"},
    "commands": {
        "lfr_errors",
        "bench",
        "matcher",
        "scenarios",
        "sim",
        "synthetic_crowds",
    },
    "harness": {"lfr_errors", "commands"},
}


def _sources():
    for package in ARROWS:
        single = ROOT / f"{package}.py"
        paths = [single] if single.exists() else sorted((ROOT / package).rglob("*.py"))
        for path in paths:
            # Benchmarks are tests: they stand on top of everything.
            if "suites" not in path.parts:
                yield package, path


def _imported(path):
    """Every absolute module name that a file imports, also for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports must be absolute"
            yield node.module


@pytest.mark.parametrize("package", ARROWS)
def test_imports_follow_the_arrows(package):
    """Three pillars never import each other; bench joins them; nobody trains."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for owner, path in _sources()
        if owner == package
        for name in _imported(path)
        if name.split(".")[0] in ARROWS.keys() - ARROWS[package] - {package}
    ]
    assert not wrong


def test_every_package_was_looked_at():
    """The check above would pass on an empty folder."""
    assert {package for package, _ in _sources()} == set(ARROWS)


# Within a large package, too, every room builds on those before it.
ROOMS = {
    "synthetic_crowds": (
        "raster",
        "basis",
        "people",
        "heads",
        "bodies",
        "street",
        "picture",
        "film",
        "exchange",
        "templates",
    ),
    "bench": (
        "intervals",
        "host",
        "load",
        "timing",
        "accuracy",
        "wire",
        "dialects",
        "driving",
        "running",
        "swarm",
        "regression",
        "search",
        "galleries",
        "report",
        "policy",
        "planning",
    ),
}


def _room(package, name):
    """The room that a dotted module name lies in, or None."""
    parts = name.split(".")
    if parts[0] == package and len(parts) > 1 and parts[1] in ROOMS[package]:
        return parts[1]
    return None


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_build_on_each_other_one_way(package):
    """A room imports the rooms before it and none after; scripts may look ahead."""
    order = ROOMS[package]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for owner, path in _sources()
        if owner == package
        and not str(path.relative_to(ROOT)).startswith(_NOT_FOR_IMPORT)
        for name in _imported(path)
        if (there := _room(package, name)) is not None
        and (here := path.relative_to(ROOT).parts[1]) in order
        and order.index(there) > order.index(here)
    ]
    assert not wrong


def test_nothing_that_is_rendered_knows_people_without_pixels():
    """Their model is left out of the version that decides whether to render anew."""
    rooms = {
        path
        for owner, path in _sources()
        if owner == "synthetic_crowds" and "templates" not in path.parts
    }
    assert rooms
    assert not [
        path
        for path in rooms
        for name in _imported(path)
        if _room("synthetic_crowds", name) == "templates"
    ]


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_is_in_order(package):
    """A new room has to find its place."""
    folders = {path.parent.name for path in (ROOT / package).glob("*/*.py")}
    assert folders - {"suites"} == set(ROOMS[package])


# Within the service, a room imports none of its own rank or above it.
SERVICE_ROOMS = (
    ("wire", "config", "clocks", "errors"),
    ("refusals", "metrics"),
    ("keeping", "lanes"),
    ("gate", "desks"),
    ("service",),
    ("routes", "stocking", "cameras"),
    ("server",),
)


def test_rooms_of_the_service_build_on_each_other_one_way():
    """What travels knows nobody; what listens knows all."""
    rank = {room: n for n, rooms in enumerate(SERVICE_ROOMS) for room in rooms}
    folder = ROOT / "matcher" / "service"
    wrong = []
    for path in sorted(folder.rglob("*.py")):
        room = path.relative_to(folder).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for name in _imported(path):
            parts = name.split(".")
            elsewhere = parts[:2] == ["matcher", "service"] and parts[2] != room
            if elsewhere and rank[parts[2]] >= rank[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


# Nobody imports a script that builds a basis file.
_NOT_FOR_IMPORT = "synthetic_crowds/basis/build_"


def _modules():
    for _, path in _sources():
        name = str(path.relative_to(ROOT))
        if not name.startswith(_NOT_FOR_IMPORT):
            yield pytest.param(path, id=name)


@pytest.mark.parametrize("path", tuple(_modules()))
def test_public_names_exist_and_are_sorted(path):
    """`__all__` names what is there, in order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    exported = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    ]
    if not exported:
        public = [
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
        ]
        assert not public, f"add __all__ with {public}"
        return
    defined = _top_level_names(tree)
    assert set(exported[0]) <= defined
    assert len(set(exported[0])) == len(exported[0])
    assert exported[0] == sorted(exported[0], key=_isort_key)


def _isort_key(name):
    """Order constants, then classes, then the rest, as the linter does."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


def _top_level_names(tree):
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(a.asname or a.name for a in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names
