"""Recognising a redelivered message: a bounded memory of what was stored a short while ago."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from hashlib import blake2b

DIGEST_BYTES = 16


def message_digest(topic: str, payload: bytes) -> bytes:
    """Return 16 bytes that are the same for the same topic and payload, and differ otherwise."""
    name = topic.encode("utf-8", "surrogatepass")
    digest = blake2b(len(name).to_bytes(4, "big"), digest_size=DIGEST_BYTES)
    digest.update(name)
    digest.update(payload)
    return digest.digest()


class DedupRing:
    """Digests of the messages whose acknowledgement may not have reached the broker, oldest first.

    A message is *settled* once the connection has outlived it by `settle_s`: the broker has had its
    acknowledgement by then and will not send it again. Forgetting settled ones matters: a sensor that
    repeats a value must not have a later, never stored message taken for the earlier one.

    Times are seconds of one monotonic clock.
    """

    def __init__(self, *, max_entries: int, settle_s: float) -> None:
        self._max_entries = max_entries
        self._settle_s = settle_s
        self._entries: deque[tuple[bytes, float]] = deque()
        self._copies: Counter[bytes] = Counter()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._copies

    def remember(self, digests: Iterable[bytes], *, now_s: float) -> None:
        """Add digests as the newest entries."""
        for digest in digests:
            self._entries.append((digest, now_s))
            self._copies[digest] += 1

    def forget(self, *, now_s: float, connected_since_s: float | None) -> int:
        """Drop settled entries and those beyond the limit; return how many of the oldest went.

        connected_since_s: when the connection in use came up; None while there is none, then nothing settles
        """
        dropped = 0
        horizon_s = now_s - self._settle_s
        is_settling = connected_since_s is not None and connected_since_s <= horizon_s
        while self._entries and (
            len(self._entries) > self._max_entries or (is_settling and self._entries[0][1] <= horizon_s)
        ):
            self._drop_oldest()
            dropped += 1
        return dropped

    def _drop_oldest(self) -> None:
        digest, _ = self._entries.popleft()
        self._copies[digest] -= 1
        if not self._copies[digest]:
            del self._copies[digest]
