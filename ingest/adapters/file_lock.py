"""One process per folder: a lock that the kernel lets go when its last holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_RETRY_S = 0.05


class FileLock:
    """An exclusive lock on a file, held until `release` or until every process that inherited it is gone."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path, *, wait_s: float = 0.0) -> FileLock | None:
        """Take the lock, waiting up to `wait_s`; None where somebody else keeps it. OSError if unwritable."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until_s = time.monotonic() + wait_s
        while not _try_lock(descriptor):
            if time.monotonic() >= until_s:
                os.close(descriptor)
                return None
            time.sleep(_RETRY_S)
        return cls(path, descriptor)

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
