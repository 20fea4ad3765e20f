"""The one progress bar of long commands: on stderr, on a terminal only, gone when done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Advance = Callable[[int, int], None]
"""(done, in all)"""


@contextmanager
def progress_bar(what: str) -> Iterator[Advance]:
    """A bar called `what`; call the value with what is done and what there is in all."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
