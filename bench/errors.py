"""What a benchmark cannot go on with."""

from __future__ import annotations


class BenchError(Exception):
    """What was given cannot be measured; one line."""
