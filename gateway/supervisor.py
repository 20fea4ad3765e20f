"""The life of a daemon: wait for a signal or a failure, then let everything end in order."""

from __future__ import annotations

import signal
import threading


class Supervisor:
    """Collects the reasons to end. `wait` returns None after a signal, else one line of what failed."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._failure: str | None = None

    def catch_signals(self) -> None:
        """SIGTERM and Ctrl-C end the daemon; call it from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ended.set())

    def fail(self, part: str, error: BaseException) -> None:
        """A part has ended by an error; the first one is the reason."""
        self._failure = self._failure or f"{part}: {type(error).__name__}: {error}"
        self._ended.set()

    @property
    def failure(self) -> str | None:
        """One line of what failed, None if nothing did."""
        return self._failure

    def is_ending(self) -> bool:
        """Whether the end has been asked for."""
        return self._ended.is_set()

    def wait(self, timeout_s: float | None = None) -> str | None:
        """Block until the end; None after a signal (or at the timeout), else what failed."""
        self._ended.wait(timeout_s)
        return self._failure
