"""How charts look: one palette, one type, and SVG that a page can hold.

Owns colours, fonts and the clean-up of matplotlib's SVG: unique ids, no metadata, no
namespaces, text as text in the page's own font. Knows nothing of what is drawn.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from bench.report.series import Happening

__all__ = [
    "HEIGHT_PX",
    "PALETTE",
    "WIDTH_PX",
    "Palette",
    "annotate_bars",
    "figure",
    "label",
    "lay_bars_down",
    "mark_happenings",
    "to_svg",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours that stay apart for every kind of colour vision, and in grey.

    Source:
        M. Okabe and K. Ito, Color Universal Design (2008), darkened for thin lines.
    """

    ink: str = "#1c2733"
    muted: str = "#5c6b7a"
    hairline: str = "#d5dce3"
    wash: str = "#eef2f5"
    sought: str = "#0b5fa5"
    others: str = "#c2500f"
    waiting: str = "#e3a857"
    service: str = "#0b5fa5"
    good: str = "#14735a"
    bad: str = "#b3331c"
    grey: str = "#9aa7b3"


PALETTE = Palette()
# Two charts stand side by side on a desk, one fills a telephone: this width keeps its
# words legible on both.
WIDTH_PX = 440.0
HEIGHT_PX = 270.0
_DECIMALS = re.compile(r"(\d\.\d\d)\d+")

# matplotlib types the keys of such a dict as a literal of 300 names.
_RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": PALETTE.grey,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": PALETTE.muted,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "grid.color": PALETTE.hairline,
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "legend.handlelength": 1.3,
    "svg.fonttype": "none",
    "text.color": PALETTE.ink,
    "xtick.color": PALETTE.muted,
    "xtick.major.size": 3.0,
    "ytick.color": PALETTE.muted,
    "ytick.left": False,
}


@contextmanager
def figure(*, width_px: float, height_px: float) -> Iterator[Figure]:
    """Open a figure in the house's style; one point of it is one pixel of the page."""
    with mpl.rc_context(_RC):
        # Not pyplot: it keeps figures in global state.
        yield Figure(figsize=(width_px / 72, height_px / 72), layout="constrained")


def label(axes: Axes, text: str, *, x: float, colour: str, level: float) -> None:
    """Write on a vertical line at data coordinate `x`, at axes height `level`."""
    axes.annotate(
        text,
        (x, level),
        xycoords=axes.get_xaxis_transform(),
        xytext=(4, 0),
        textcoords="offset points",
        color=colour,
        fontsize=10,
        va="center",
        # A line behind it must not cross it out.
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )


def mark_happenings(axes: Axes, happenings: Sequence[Happening]) -> None:
    """Draw an upright line at each moment, its words along it."""
    for happening in happenings:
        axes.axvline(happening.time_s, color=PALETTE.others, linewidth=1.0, ls=":")
        axes.annotate(
            happening.words,
            (happening.time_s, 0.5),
            xycoords=axes.get_xaxis_transform(),
            xytext=(-2, 0),
            textcoords="offset points",
            rotation=90,
            fontsize=8.5,
            color=PALETTE.others,
            ha="right",
            va="center",
        )


def lay_bars_down(axes: Axes) -> None:
    """Let the first of several lying bars stand on top, with a grid along values."""
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")


def annotate_bars(axes: Axes, texts: Mapping[str, tuple[float, str]]) -> None:
    """Write behind the end of each lying bar, `(value, text)` by its name."""
    for name, (end, text) in texts.items():
        axes.annotate(
            text,
            (end, name),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )


def to_svg(drawn: Figure, *, name: str, title: str, description: str) -> Markup:
    """Turn a figure into inline SVG.

    Args:
        drawn: The figure.
        name: Unique on the page: every id inside begins with it.
        title: What it is, for those who cannot see it.
        description: What it shows, in one sentence.
    """
    drawn.text(
        0.999,
        0.004,
        "synthetic people",
        ha="right",
        va="bottom",
        fontsize=8,
        color=PALETTE.muted,
    )
    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, **_RC}):
        drawn.savefig(stream, format="svg", transparent=True)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Its style sheet would reach the whole page.
    svg = re.sub(
        r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.DOTALL
    )
    svg = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    svg = re.sub(r"font-family: [^;\"]*;?\s*", "", svg)
    # A hundredth of a pixel is enough, and a third of the bytes.
    svg = re.sub(r"<[^>]+>", lambda tag: _DECIMALS.sub(r"\1", tag[0]), svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    if box is None:
        message = "matplotlib's SVG must have a viewBox, got one without"
        raise RuntimeError(message)
    head = (
        f'<svg class="chart-svg" role="img" {box[0]} '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
    )
    return Markup(head + svg[svg.index(">") + 1 :].strip())  # noqa: S704 - our own SVG
