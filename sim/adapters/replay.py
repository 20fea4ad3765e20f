"""Plays pictures or a video as a camera does: one JPEG per tick, with the time of its capture in EXIF."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sim.devices.exif import stamp_jpeg

Publish = Callable[[str, bytes], None]


def play(
    pictures: Iterator[bytes],
    *,
    topic: str,
    frames_per_s: float,
    publish: Publish,
    stop: threading.Event,
    on_frame: Callable[[], None] = lambda: None,
) -> int:
    """Publish every picture at its tick of the clock; returns how many were sent before `stop` was set.

    A tick that is late is not skipped: every picture is sent once, in order.
    """
    sent = 0
    started = time.monotonic()
    for jpeg in pictures:
        if stop.wait(max(0.0, started + sent / frames_per_s - time.monotonic())):
            break
        publish(topic, stamp_jpeg(jpeg, datetime.now(UTC)))
        sent += 1
        on_frame()
    return sent
