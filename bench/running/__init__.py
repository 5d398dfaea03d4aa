"""One run from its plan to its folder: work, metrics, audits, verdict."""
