"""Which index a gallery of some size is best served by.

Owns the rule behind `index.name = "auto"`. Pure: sizes in, a name out; the figures that
it rests on are measured by `harness indexes`.

On one core exhaustive search is exact, builds at once and takes changes in its stride;
it is worth keeping as long as a probe costs little beside its embedding, some 2 ms.
Beyond, a graph finds the same in a fraction of the time, for a build of minutes.
"""

from __future__ import annotations

__all__ = ["choose_index"]

# A single probe against N x 128: 3 ms flat at 100,000, half of that in fp16; a graph
# needs 0.4 ms at 200,000, and 50 s to be made.
_MOST_FLAT = 20_000
_MOST_SHORTENED = 200_000


def choose_index(n_templates: int) -> str:
    """Name the index for a gallery of this size."""
    if n_templates <= _MOST_FLAT:
        return "faiss_flat"
    return "faiss_sq" if n_templates <= _MOST_SHORTENED else "faiss_hnsw"
