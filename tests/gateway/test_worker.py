"""Worker threads: they sleep when idle, wake when told, and their end is never silent."""

from __future__ import annotations

import threading

from gateway.supervisor import Supervisor
from gateway.worker import Worker


def test_a_step_that_raises_ends_the_worker_and_says_why() -> None:
    supervisor = Supervisor()

    def fail() -> bool:
        raise ValueError("broken invariant")

    worker = Worker("w", fail, wake=threading.Event(), idle_s=3600, on_failure=supervisor.fail)
    worker.start()
    assert supervisor.wait(10) == "w: ValueError: broken invariant"
    worker.stop()
    assert not worker.is_alive()


def test_a_sleeping_worker_wakes_when_told() -> None:
    wake, seen = threading.Event(), threading.Semaphore(0)

    def step() -> bool:
        seen.release()
        return False

    worker = Worker("w", step, wake=wake, idle_s=3600, on_failure=Supervisor().fail)
    worker.start()
    assert seen.acquire(timeout=10)
    wake.set()
    assert seen.acquire(timeout=10)
    worker.stop()
    assert not worker.is_alive()


def test_the_first_failure_is_the_reason() -> None:
    supervisor = Supervisor()
    supervisor.fail("spool", OSError("disk full"))
    supervisor.fail("frames", ValueError("later"))
    assert supervisor.wait() == "spool: OSError: disk full"
