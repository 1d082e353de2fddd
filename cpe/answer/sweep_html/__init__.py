"""The report of a sweep: one HTML file that needs no network and prints well."""

from cpe.answer.sweep_html.report import report

__all__ = ["report"]
