"""What the inference path asks of an engine, and of the threads that it works in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from detectors.layouts import NetworkFacts
from detectors.letterbox import Letterbox, SizePx
from detectors.nms import Boxes, Rows
from detectors.pixels import PixelForm
from detectors.reading import HeadReading

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Part = TypeVar("Part")


class Backend(Protocol):
    """A loaded network on some device."""

    @property
    def description(self) -> str:
        """One line for a person: engine, device, precision."""

    @property
    def facts(self) -> NetworkFacts:
        """Size, output and class names, as the weights file has them."""

    @property
    def lanes(self) -> int:
        """Threads that it wants: they decode, and may be inside `forward` at once, each in its own lane."""

    @property
    def streams(self) -> int:
        """How many calls of `forward` side by side are faster than one after the other."""

    @property
    def best_batch(self) -> int:
        """Pictures per forward from which on more of them gain nothing."""

    def prepare(self, sizes_px: Sequence[SizePx], form: PixelForm, most: int) -> None:
        """Get ready for batches of 1 to `most` pictures of such input sizes (width, height), so that the first of them
        waits no longer than the next. Nobody is inside `forward` meanwhile."""

    def forward(self, pictures: U8, form: PixelForm, lane: int = 0) -> F32:
        """Pictures (N, h, w, 3) BGR → (N, …) the network's raw output; it is valid until the lane's next call."""


@dataclass(frozen=True, slots=True, eq=False)
class DevicePictures:
    """A batch that lies on a backend's own device: its memory (N, h, w, 3) BGR bytes there, its glances here."""

    memory: Any
    glances: U8


@runtime_checkable
class DeviceBackend(Backend, Protocol):
    """A backend that does on its device what comes before and after the network."""

    @property
    def decodes(self) -> bool:
        """Whether it decodes JPEGs too."""

    def empty(self, shape: tuple[int, ...]) -> U8:
        """Memory of bytes for a batch that is filled here, such that the device reaches it fast."""

    def decode(self, jpegs: Sequence[bytes], letterboxes: Sequence[Letterbox]) -> DevicePictures | None:
        """Upright pictures of one input size, decoded and placed there; None where that is not possible for all."""

    def resident(self, shape: tuple[int, ...], form: PixelForm) -> Callable[[], None]:
        """A forward over a batch (N, h, w, 3) that lies on the device already: the limit of any path. It waits for the
        device."""

    def crops(self, pictures: DevicePictures, owner: Rows, xyxy: F32) -> U8:
        """What `detectors.appearance.crops` makes of pictures that lie here."""

    def find(self, pictures: U8 | DevicePictures, reading: HeadReading, lane: int = 0) -> tuple[Rows, Boxes]:
        """What `HeadReading.kept` makes of the network's output of a batch."""


class Lanes(Protocol):
    """Threads that work through parts of batches."""

    def run(
        self, batches: Sequence[Sequence[Part]], each: Callable[[Part, int], None], then: Callable[[int, int], None]
    ) -> None:
        """Call each(part, lane) for every part of every batch, and then(batch number, lane) once after the last part
        of a batch; no batch is empty. No two calls of a lane overlap. The first error is raised."""


class OneLane:
    """Everything in the caller's own thread."""

    def run(
        self, batches: Sequence[Sequence[Part]], each: Callable[[Part, int], None], then: Callable[[int, int], None]
    ) -> None:
        """See `Lanes.run`."""
        for number, batch in enumerate(batches):
            for part in batch:
                each(part, 0)
            then(number, 0)
