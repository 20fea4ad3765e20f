"""A thread that calls a step again and again, sleeps when there is nothing to do, and never dies in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class Worker:
    """Runs `step` until stopped. step() returns True when there may be more to do at once.

    wake:       set by whoever has new work; without it the step is tried every idle_s
    on_failure: called once with the error when the step raises; the worker has ended then
    on_end:     called once, whatever it ended by
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        wake: threading.Event,
        idle_s: float,
        on_failure: Callable[[str, Exception], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._step = step
        self._wake = wake
        self._idle_s = idle_s
        self._on_failure = on_failure
        self._on_end = on_end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Let the running step finish, then end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def is_alive(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                if not self._step():
                    self._wake.wait(self._idle_s)
        except Exception as error:  # the top of a daemon thread: the owner decides what ends
            log.error("worker_failed", worker=self._name, error=f"{type(error).__name__}: {error}", exc_info=error)
            self._on_failure(self._name, error)
        finally:
            self._on_end()
