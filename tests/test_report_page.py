"""The page: whole, self-contained, valid, and honest about what is missing."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import pytest
import report_crowds
import report_doubles
from rich.console import Console

from bench.errors import RunFolderError
from bench.report import render_report, terminal_summary
from bench.report.album import FOLDER
from bench.report.pictures import write_pictures
from bench.running.folder import write_run

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Outline(HTMLParser):
    """Checks nesting and gathers what the tests ask about."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.tags = []
        self.ids = []
        self.text = []

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # noqa: D102
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):  # noqa: D102
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):  # noqa: D102
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def of(self, tag):
        """List the attributes of every such element."""
        return [attrs for name, attrs in self.tags if name == tag]


def read_page(folder, record):
    write_run(record, folder)
    html = render_report(folder).read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(html)
    outline.close()
    return html, outline, " ".join(" ".join(outline.text).split())


CASES = {
    "usual": {"seed": 11},
    "no_alerts": {"with_alerts": False, "n_cameras": 1, "duration_s": 12.0},
    "interrupted": {"interrupted": True},
    "unhurried": {"unhurried": True},
    "tiny": {"n_cameras": 1, "duration_s": 4.0, "n_passages": 1},
    "nobody": {"n_cameras": 1, "duration_s": 4.0, "n_passages": 0},
    "only_warm_up": {"n_cameras": 1, "duration_s": 2.0, "n_passages": 0},
    "no_frames": {"n_cameras": 1, "duration_s": 0.0, "n_passages": 0},
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Render each case once: its folder, its run, and what `read_page` returns."""
    rendered = {}

    def render(name):
        if name not in rendered:
            folder = tmp_path_factory.mktemp(name)
            record = report_doubles.make_record(**CASES[name])
            rendered[name] = (folder, record, *read_page(folder, record))
        return rendered[name]

    return render


every_case = pytest.mark.parametrize("case", CASES)


@every_case
def test_page_is_valid_and_fetches_nothing(pages, case):
    """One file without scripts or links out; ids are unique, labels resolve."""
    _, record, html, outline, text = pages(case)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert not outline.of("script")
    assert "http" not in html.lower()
    assert "//" not in html.split("<style>")[1].split("</style>")[0]
    ids = set(outline.ids)
    for _, attrs in outline.tags:
        for label in attrs.get("aria-labelledby", "").split():
            assert label in ids
        if attrs.get("href", "").startswith("#"):
            assert attrs["href"][1:] in ids
    assert record.verdict.status.value in text


@every_case
def test_page_never_shows_nan_or_none(pages, case):
    """What is missing is said in words."""
    *_, text = pages(case)
    words = text.replace(",", " ").replace(":", " ").split()
    assert not {"nan", "NaN", "None", "inf"} & set(words)


def test_page_names_every_reason_with_its_cure(pages):
    """An interrupted run says that its figures must not be quoted, and why."""
    _, record, _, _, text = pages("interrupted")
    assert "must not be quoted" in text
    assert record.verdict.reasons
    for reason in record.verdict.reasons:
        assert reason.message in text
        assert reason.cure in text


def test_page_lists_every_alert_and_its_outcome(pages):
    """An alert without a picture still stands in the table, true or false in words."""
    _, record, html, _, text = pages("usual")
    rows = html.split("Every alert in a table")[1].split("</table>")[0]
    assert rows.count("<tr>") == 1 + len(record.alerts)
    assert rows.count("False alert") == sum(not a.correct for a in record.alerts) > 0
    assert "Every person's id begins with person-." in text
    for alert in record.alerts:
        assert alert.subject_id.removeprefix("person-") in rows
        assert f"{alert.comparison_score:.3f}" in rows


def test_page_without_alerts_says_so(pages):
    """No alert is a finding, not a gap."""
    *_, text = pages("no_alerts")
    assert "The matcher raised no alert in this run." in text
    assert "Every alert in a table" not in text


def test_scenario_text_is_escaped(tmp_path):
    """A scenario's title is words, whatever it contains."""
    title = "<script>alert('x')</script> & Sons"
    record = report_doubles.make_record(**CASES["nobody"], title=title)
    html, outline, text = read_page(tmp_path, record)
    assert not outline.of("script")
    assert "<script" not in html
    assert title in text


def test_pictures_lie_inside_the_page_with_words_beside_them(tmp_path):
    """Pictures are data URIs, each with an alternative text; false alerts lead."""
    record = report_doubles.make_record(seed=11, duration_s=12.0, n_passages=60)
    source = tmp_path / "source"
    source.mkdir()
    crowd = report_crowds.make_crowd(source, record, n_frames=120)
    folder = tmp_path / "run"
    folder.mkdir()
    write_pictures(folder, crowd, record)
    _, outline, text = read_page(folder, record)
    images = outline.of("img")
    assert len(images) == 2 + 2 * len(record.alerts)
    assert all(image["src"].startswith("data:image/") for image in images)
    assert all("ynthetic" in image["alt"] for image in images)
    assert f"All {len(record.alerts)} alerts are pictured" in text
    kinds = [a["class"] for a in outline.of("article")]
    assert kinds == sorted(kinds)  # "alert false" before "alert true"


def test_every_chart_is_labelled_synthetic(pages):
    """A chart cut out of the page still says whose faces it is about."""
    _, _, html, outline, _ = pages("usual")
    charts = [a for a in outline.of("svg") if a.get("class") == "chart-svg"]
    assert len(charts) == 12
    assert html.count("synthetic people</text>") == len(charts)


def test_unhurried_page_shows_no_latency(pages):
    """Where frames waited for the matcher, latency means nothing and is not drawn."""
    _, _, html, _, text = pages("unhurried")
    assert 'id="latency-histogram' not in html
    assert "Half of all frames" not in text
    assert "Throughput, unhurried" in text


def test_page_is_a_function_of_the_run_folder(pages):
    """Rendered again, the page is the same to the last byte."""
    folder, _, html, _, _ = pages("usual")
    assert render_report(folder).read_text(encoding="utf-8") == html


def test_folder_without_run_is_refused(tmp_path):
    """The report comes from a run folder and from nothing else."""
    with pytest.raises(RunFolderError, match="run folder must hold"):
        render_report(tmp_path)


def test_damaged_picture_index_is_refused(tmp_path):
    """A page must not quietly leave out pictures that should be there."""
    write_run(report_doubles.make_record(), tmp_path)
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "pictures.json").write_text('{"cameras": 3}')
    with pytest.raises(RunFolderError, match="faults"):
        render_report(tmp_path)


@every_case
def test_terminal_summary_holds_figures_and_verdict(pages, case):
    """The same figures as on the page, for those who stay in the terminal."""
    folder, record, *_ = pages(case)
    console = Console(width=100, file=io.StringIO())
    console.print(terminal_summary(folder))
    text = console.file.getvalue()
    assert "Sought people alerted on (TPIR)" in text
    assert record.verdict.status.value in text
    assert not {"nan", "None", "inf"} & set(text.split())
