"""Child processes of the demo: started together, ended together, and never left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gateway.errors import StartError

_PARENT_VARIABLE = "STREET721_PARENT_PID"
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """End this process when the one that started it ends, however it ends (Linux; only if it asked for it)."""
    parent = os.environ.pop(_PARENT_VARIABLE, None)
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it ended between our start and the line above
        sys.exit(1)


class Children:
    """A few `street721` processes with one log file each."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start `street721 ARGUMENTS`; its output goes to name.log."""
        environment = os.environ | {_PARENT_VARIABLE: str(os.getpid())}
        with self.log_file(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "gateway", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches only the demo, which then ends them in order
            )

    def log_file(self, name: str) -> Path:
        """Where a child's output goes."""
        return self._log_folder / f"{name}.log"

    def kill(self, name: str) -> None:
        """SIGKILL, as a fault would end it; it may be started again under the same name."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def check(self) -> None:
        """Raise StartError, with the last lines of its log, if a child has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                lines = self.log_file(name).read_text(encoding="utf-8", errors="replace").splitlines()
                tail = " | ".join(line.strip() for line in lines[-3:]) or "no output"
                raise StartError(f"{name} ended with status {process.returncode}: {tail}")

    def stop(self, grace_s: float = 10.0) -> None:
        """SIGTERM to all, last started first; SIGKILL to those that have not ended after grace_s."""
        for process in reversed(self._running.values()):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + grace_s
        for process in reversed(self._running.values()):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
