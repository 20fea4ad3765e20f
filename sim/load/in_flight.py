"""Messages on their way with QoS 1: their packet ids, which of them are acknowledged, and how long that took."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.load.mqtt_packets import PacketIds, again

LAST_PACKET_ID = 65_535

_KEPT_LATENCIES = 10_000
# Ids 1 to 65535 twice: any run of ids is one slice.
_ID_BYTES = [number.to_bytes(2, "big") for number in range(1, LAST_PACKET_ID + 1)] * 2


class _Batch(NamedTuple):
    """Messages that left together and are not all acknowledged; ids: (N,)."""

    ids: PacketIds
    packets: list[bytes]
    sent_s: float


class InFlight:
    """All that one connection has published and a broker has not acknowledged; at most LAST_PACKET_ID messages.

    count:       how many these are
    latencies_s: the latest times from a batch's departure to its last acknowledgement; slowest_s: of all
    """

    def __init__(self) -> None:
        self._batches: deque[_Batch] = deque()
        self._is_waiting = np.zeros(LAST_PACKET_ID + 1, dtype=bool)
        self._next_index = 0
        self.count = 0
        self.latencies_s: deque[float] = deque(maxlen=_KEPT_LATENCIES)
        self.slowest_s = 0.0

    @property
    def oldest_sent_s(self) -> float | None:
        """When the oldest batch left that is not wholly acknowledged."""
        return self._batches[0].sent_s if self._batches else None

    def add(self, heads: Sequence[bytes], bodies: Sequence[bytes], now_s: float) -> list[bytes]:
        """The packets of new messages, each with a free id between head and body."""
        first, count = self._next_index, len(heads)
        ids = ((first + np.arange(count)) % LAST_PACKET_ID + 1).astype(np.uint16)
        texts = _ID_BYTES[first : first + count]
        if self._is_waiting[ids].any():
            # A message has waited for a whole round of ids.
            ids = (np.flatnonzero(~self._is_waiting[1:])[:count] + 1).astype(np.uint16)
            texts = [_ID_BYTES[number - 1] for number in ids.tolist()]
        self._next_index = (first + count) % LAST_PACKET_ID
        packets = [head + text + body for head, text, body in zip(heads, texts, bodies, strict=True)]
        self._is_waiting[ids] = True
        self._batches.append(_Batch(ids, packets, now_s))
        self.count += count
        return packets

    def retire(self, ids: PacketIds, now_s: float) -> int:
        """Note acknowledgements; how many of them are new."""
        fresh = np.unique(ids[self._is_waiting[ids]])
        self._is_waiting[fresh] = False
        self.count -= len(fresh)
        while self._batches and not self._is_waiting[self._batches[0].ids].any():
            latency_s = now_s - self._batches.popleft().sent_s
            self.latencies_s.append(latency_s)
            self.slowest_s = max(self.slowest_s, latency_s)
        return len(fresh)

    def repeat(self) -> list[bytes]:
        """The packets of all that waits, marked DUP, in the order in which they left first."""
        return [
            again(packet)
            for batch in self._batches
            for packet, is_waiting in zip(batch.packets, self._is_waiting[batch.ids].tolist(), strict=True)
            if is_waiting
        ]
