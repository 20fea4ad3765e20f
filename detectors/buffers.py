"""Memory of the batches: taken, filled, given back, and used again for the next batch of the same shape."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
Shape = tuple[int, ...]

_MOST_IDLE_BYTES = 64 << 20


def empty(shape: Shape) -> U8:
    """Ordinary memory."""
    return np.empty(shape, np.uint8)


class BatchBuffers:
    """Idle arrays by shape, shared by all lanes.

    Cameras have few sizes, so nearly every batch finds its memory here. A folder of pictures of every size does not
    fill it: above 64 MiB of idle memory the shape used longest ago is let go.
    """

    def __init__(self, allocate: Callable[[Shape], U8] = empty, *, most_idle_bytes: int = _MOST_IDLE_BYTES) -> None:
        """allocate: where new memory comes from."""
        self._allocate = allocate
        self._most_idle_bytes = most_idle_bytes
        self._idle: OrderedDict[Shape, list[U8]] = OrderedDict()
        self._idle_bytes = 0
        self._lock = threading.Lock()

    @property
    def idle_bytes(self) -> int:
        """What is held for the next batches."""
        return self._idle_bytes

    def take(self, shape: Shape) -> U8:
        """An array of bytes of that shape; what stands in it is left over from earlier."""
        with self._lock:
            if idle := self._idle.get(shape):
                self._idle_bytes -= idle[-1].nbytes
                return idle.pop()
        return self._allocate(shape)

    def give_back(self, buffer: U8) -> None:
        """The array may be used again."""
        with self._lock:
            self._idle.setdefault(buffer.shape, []).append(buffer)
            self._idle.move_to_end(buffer.shape)
            self._idle_bytes += buffer.nbytes
            while self._idle_bytes > self._most_idle_bytes and len(self._idle) > 1:
                _, longest_ago = self._idle.popitem(last=False)
                self._idle_bytes -= sum(idle.nbytes for idle in longest_ago)
