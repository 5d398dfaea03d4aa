"""The house's charts, marked as synthetic or recorded.

Owns the mark: nobody may take a computed figure for a published one. Knows nothing of
what is drawn.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from markupsafe import Markup

from bench.report.style import to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Basis", "marked_svg"]


class Basis(StrEnum):
    """What a chart's figures are."""

    SYNTHETIC = "synthetic: computed by the model"
    RECORDED = "recorded: published by the force"
    BOTH = "bars synthetic, dots recorded"
    ASSUMED_CROWD = "count recorded, crowd assumed"


def marked_svg(
    drawn: Figure, *, name: str, title: str, description: str, basis: Basis
) -> Markup:
    """Turn a figure into inline SVG with its mark.

    Args:
        drawn: The figure.
        name: Unique on the page.
        title: What it is, for those who cannot see it.
        description: What it shows, in one sentence.
        basis: What its figures are.
    """
    svg = to_svg(
        drawn, name=name, title=title, description=f"{description} ({basis.value})"
    )
    # The house's mark speaks of faces; these charts count deployments.
    return Markup(str(svg).replace("synthetic people", basis.value))  # noqa: S704 - our own SVG
