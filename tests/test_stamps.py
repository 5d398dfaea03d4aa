"""Every picture says that it is synthetic, and a run refuses those that do not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from commands.crowd import crowd_of
from harness import app
from scenarios import loader
from synthetic_crowds.errors import SuppliedFolderError, UnstampedError
from synthetic_crowds.exchange.supplied import read_crowd, unstamped, with_watchlist
from synthetic_crowds.film.stamp import Stamp, read_stamp, stamp_png

TINY = (
    "crowd.duration_s=2",
    "crowd.footfall_per_min=60",
    "crowd.population_size=300",
    "watchlist.size=6",
    "watchlist.mated_share=0.2",
    "cameras.0.width_px=320",
    "cameras.0.height_px=180",
    "cameras.0.fps=4",
)


def settings(*more):
    return loader.load("smoke", overrides=(*TINY, *more))


def make(chosen, cache, **options):
    return crowd_of(chosen, cache=cache, workers=1, progress=lambda *_: None, **options)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def made(cache):
    return make(settings(), cache)


@pytest.fixture
def exported(cache, tmp_path):
    folder = tmp_path / "export"
    arguments = ["crowd", "smoke", "--export", str(folder), "--cache", str(cache)]
    for setting in TINY:
        arguments += ["--set", setting]
    result = CliRunner().invoke(app, [*arguments, "--quiet", "--workers", "1"])
    assert result.exit_code == 0, result.output
    return folder


def test_stamp_leaves_pixels_alone_and_comes_back(tmp_path):
    """A stamped PNG decodes to the same picture and says where it comes from."""
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    _, png = cv2.imencode(".png", image)
    stamp = Stamp.of(77)
    path = tmp_path / "a.png"
    path.write_bytes(stamp_png(png.tobytes(), stamp))
    assert np.array_equal(cv2.imread(str(path)), image)
    assert read_stamp(path) == stamp
    path.write_bytes(png.tobytes())
    assert read_stamp(path) is None


def test_clips_and_portraits_of_a_crowd_bear_its_seed(made):
    """Nothing that a crowd makes is without a stamp."""
    assert unstamped(made) == ()
    seeds = {
        read_stamp(path).seed
        for path in (made.clips[0].path, *made.watchlist.image_paths)
    }
    assert len(seeds) == 1


def test_exported_crowd_comes_back_as_it_was(made, exported):
    """Truth, people, pictures and who is sought survive the way through a folder."""
    back = read_crowd(exported, ["cam1"])
    assert back.truth_sha256 == made.truth_sha256
    assert back.clips_sha256 == made.clips_sha256
    assert back.watchlist.sha256 == made.watchlist.sha256
    assert back.subjects == made.subjects
    assert back.clips[0].passages == made.clips[0].passages
    assert back.clips[0].n_frames == made.clips[0].n_frames
    passing = {passage.person_id for passage in made.clips[0].passages}
    assert back.watchlist.mated == made.watchlist.mated & passing
    assert unstamped(back) == ()


def test_scenario_takes_an_exported_folder_in(made, exported, cache):
    """`[supplied]` gives a run the same crowd, without rendering it."""
    back = make(settings(f"supplied.clips_folder={exported}"), cache)
    assert back.truth_sha256 == made.truth_sha256
    alone = make(settings(f"supplied.watchlist_folder={exported / 'watchlist'}"), cache)
    assert alone.watchlist.sha256 == made.watchlist.sha256


def strip(folder):
    """Save one portrait again, as any picture tool would: its stamp is lost."""
    path = sorted((folder / "watchlist").glob("*.png"))[0]
    cv2.imwrite(str(path), cv2.imread(str(path)))
    for manifest in (folder / "manifest.json", folder / "watchlist" / "manifest.json"):
        manifest.unlink()
    return path


def test_unstamped_pictures_are_refused_unless_allowed(exported, cache):
    """One picture without a stamp stops a run, with the way out in one sentence."""
    path = strip(exported)
    chosen = settings(f"supplied.clips_folder={exported}")
    with pytest.raises(UnstampedError, match="1 of 7 do not") as refused:
        make(chosen, cache)
    assert refused.value.paths == (path,)
    assert "--allow-unstamped" in str(refused.value)
    assert unstamped(make(chosen, cache, allow_unstamped=True)) == (path,)


def test_changed_file_is_found_out_by_the_manifest(exported):
    """Hashes beside the files are held against them."""
    path = sorted((exported / "watchlist").glob("*.png"))[0]
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(SuppliedFolderError, match="has changed"):
        read_crowd(exported, ["cam1"])


@pytest.mark.parametrize(
    "lacking", ["people.parquet", "cam1/clip.mp4", "watchlist/watchlist.csv"]
)
def test_incomplete_folder_names_what_is_missing(exported, lacking):
    """A folder that is no export says which file it lacks."""
    (exported / lacking).unlink()
    with pytest.raises(SuppliedFolderError, match="it is not there"):
        read_crowd(exported, ["cam1"])


def test_watchlist_of_others_mates_nobody(made, exported):
    """Who does not pass is not mated, whoever is sought."""
    table = exported / "watchlist" / "watchlist.csv"
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    passing = {passage.person_id for passage in made.clips[0].passages}
    others = [row for row in rows if row.split(",")[0] not in passing]
    table.write_text("\n".join([head, *others]) + "\n", encoding="utf-8")
    (exported / "watchlist" / "manifest.json").unlink()
    crowd = with_watchlist(made, exported / "watchlist")
    assert others
    assert crowd.watchlist.mated == frozenset()


@pytest.mark.slow
def test_run_refuses_then_warns_on_every_page(exported, cache, tmp_path):
    """Exit code 2 without the option; with it, run.json and report say so."""
    strip(exported)
    arguments = ["run", "smoke", "--cache", str(cache), "--out", str(tmp_path / "runs")]
    for setting in (*TINY, f"supplied.clips_folder={exported}", "load.warm_up_s=0.2"):
        arguments += ["--set", setting]
    harness = [sys.executable, "harness.py", *arguments, "--quiet", "--unhurried"]
    refused = subprocess.run(harness, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--allow-unstamped" in refused.stderr.splitlines()[-1]
    shutil.rmtree(tmp_path / "runs")
    subprocess.run([*harness, "--allow-unstamped"], capture_output=True, check=False)
    folder = next((tmp_path / "runs").iterdir())
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert run["provenance"]["pictures"]["unstamped"] == 1
    assert run["provenance"]["pictures"]["unstamped_allowed"] is True
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Pictures of unknown origin" in page
    assert "pictures of unknown origin · page" in page
    assert "synthetic people only" not in page
