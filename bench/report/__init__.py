"""What a run looks like to people: one self-contained page, one table."""

from bench.report.render import render_report
from bench.report.terminal import terminal_summary

__all__ = ["render_report", "terminal_summary"]
