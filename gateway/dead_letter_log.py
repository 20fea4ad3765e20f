"""One clear line for what a sender did wrong, and silence when it does it again and again."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from ingest.messages import DeadLetter

log = structlog.get_logger()

QUIET_S = 600.0
MAX_REMEMBERED = 10_000


class DeadLetterLog:
    """Logs the first message of each (topic, reason), and again after QUIET_S; the spool keeps and counts all."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], float] = {}

    def report(self, letters: Sequence[DeadLetter]) -> None:
        """Say what went to the dead letters."""
        for letter in letters:
            if self._may_say(letter.topic, letter.reason):
                log.warning("dead_letter", topic=letter.topic, reason=str(letter.reason), detail=letter.detail)

    def report_unknown_camera(self, camera_id: str, known: Sequence[str]) -> None:
        """Say that a camera sends frames and the site does not know where it stands."""
        if self._may_say(camera_id, "unknown_camera"):
            log.warning("unknown_camera", camera_id=camera_id, known=", ".join(known), remedy="add it to site.toml")

    def _may_say(self, topic: str, reason: str) -> bool:
        now = time.monotonic()
        if len(self._said) >= MAX_REMEMBERED:
            self._said = {key: at for key, at in self._said.items() if now - at < QUIET_S}
        if now - self._said.get((topic, reason), -QUIET_S) < QUIET_S or len(self._said) >= MAX_REMEMBERED:
            return False
        self._said[(topic, reason)] = now
        return True
