"""Which statements come from which experiment, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.realism.conditions import find_conditions, find_membership, find_recall
from training.realism.people_apart import find_days, find_kin, find_tones

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.realism.finding import Finding
    from training.realism.shards import Answers

__all__ = ["FINDERS"]

FINDERS: dict[str, Callable[[Answers, str], list[Finding]]] = {
    "streets": find_recall,
    "recall": find_recall,
    "days": find_days,
    "conditions": find_conditions,
    "kin": find_kin,
    "membership": find_membership,
    "tones": find_tones,
}
