"""Hot path: JPEG to boxes. It decides how many cameras one processor carries.

References, all measured in turns with the product's own path:
decode alone and forward alone, on as many lanes; from their processor time follows the limit that no path on these
cores can pass: cores / (decode CPU + forward CPU). On a GPU the limit is the forward over pictures that lie there
already. And `YOLO.predict` of ultralytics where that is installed, with PyTorch and with its OpenVINO backend on the
same weights, a picture at a time and the whole list.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.drawn_jpegs import drawn_jpegs
from bench.errors import BenchError
from bench.machine import machine_facts
from bench.pairs import Timing, measure
from bench.peak_memory import peak_memory_mb
from bench.ultralytics_ways import ultralytics_ways
from detectors.adapters.lanes import ThreadLanes, usable_cores
from detectors.adapters.machine import look_at_machine
from detectors.backend import Backend, DeviceBackend
from detectors.card_check import layout_of
from detectors.classes import load_classes
from detectors.decoding import decode_jpeg
from detectors.detector import BatchedDetector
from detectors.engines import choose_engine, engine_named
from detectors.letterbox import Letterbox, SizePx, write_into
from detectors.model_card import ModelCard, load_card
from detectors.opening import DEFAULT_MODEL, card_path, open_backend, open_detector
from detectors.pixels import PixelForm
from ingest.jpeg import check_jpeg

PRODUCT = "street721"
DECODE = "decode alone"
FORWARD = "forward alone"
RESIDENT = "forward alone, pictures on the GPU"
_SIZES_PX = ((1920, 1080), (640, 360))
_FRAMES = 32
_SETTLE_S = 0.5

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceResult:
    """What one run measured. limit_per_s: see the head of this file; peak_mb: of the product's path alone."""

    description: str
    frames: int
    sizes_px: tuple[SizePx, ...]
    timings: dict[str, Timing]
    limit_per_s: float
    peak_mb: float

    def rate_per_s(self, way: str) -> float:
        """Median frames per second."""
        return self.frames / self.timings[way].median_s

    @property
    def of_limit(self) -> float:
        """Which share of the limit the product reaches."""
        return self.rate_per_s(PRODUCT) / self.limit_per_s

    def to_json(self) -> dict[str, Any]:
        """Every figure, with machine, date and commit."""
        ways = {
            name: {
                "frames_per_s": round(self.rate_per_s(name), 2),
                "lowest": round(self.frames / max(timing.wall_s), 2),
                "highest": round(self.frames / min(timing.wall_s), 2),
                "cpu_ms_per_frame": round(timing.median_cpu_s * 1000 / self.frames, 2),
                "street721_is_times_as_fast": round(timing.median_s / self.timings[PRODUCT].median_s, 2),
            }
            for name, timing in self.timings.items()
        }
        return {
            "bench": "inference",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **machine_facts(),
            "detector": self.description,
            "frames": self.frames,
            "sizes_px": [list(size) for size in self.sizes_px],
            "ways": ways,
            "limit_frames_per_s": round(self.limit_per_s, 2),
            "share_of_limit": round(self.of_limit, 3),
            "peak_mb": round(self.peak_mb),
        }


def main() -> None:
    """Print the shipped model's figures on drawn pictures of two sizes."""
    for size_px in _SIZES_PX:
        result = bench_inference(drawn_jpegs(_FRAMES, size_px=size_px), DEFAULT_MODEL)
        print(f"{size_px[0]}x{size_px[1]} px\n{as_text(result)}\n")


def bench_inference(
    jpegs: Sequence[bytes],
    model: str,
    *,
    batch: int | None = None,
    device: str = "auto",
    engine: str = "auto",
    rounds: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> InferenceResult:
    """Time the product, its parts and what else is installed on the same pictures.

    Raises BenchError or DetectorError.
    """
    card = load_card(card_path(model))
    detector = open_detector(model, device, engine=engine, max_batch=batch)
    found = detector.detect(jpegs)
    if failed := next((seen.failure for seen in found if seen.failure), None):
        raise BenchError(f"a picture cannot be used: {failed}")
    choice = choose_engine(card.files, look_at_machine(), device=device, engine=engine_named(engine))
    parts = _Parts(open_backend(choice), card, jpegs, batch)
    with tempfile.TemporaryDirectory(prefix="street721-bench-") as folder:
        files = [Path(folder) / f"{number:04}.jpg" for number in range(len(jpegs))]
        for file, jpeg in zip(files, jpegs, strict=True):
            file.write_bytes(jpeg)
        peak_mb, _ = peak_memory_mb(model, Path(folder), batch=batch, device=device, engine=engine)
        ways: dict[str, Callable[[], object]] = {
            PRODUCT: lambda: detector.detect(jpegs),
            DECODE: parts.decode,
            FORWARD: parts.forward,
            **ultralytics_ways(card, files, Path(folder), device=choice.device),
        }
        if choice.device.startswith("cuda"):
            ways[RESIDENT] = parts.resident
        timings = measure(ways, rounds=rounds, settle_s=_SETTLE_S, progress=progress)
    cpu_s = timings[DECODE].median_cpu_s + timings[FORWARD].median_cpu_s
    limit_s = timings[RESIDENT].median_s if RESIDENT in timings else cpu_s / usable_cores()
    return InferenceResult(
        description=detector.description,
        frames=len(jpegs),
        sizes_px=tuple(sorted({seen.size_px for seen in found})),
        timings=timings,
        limit_per_s=len(jpegs) / limit_s,
        peak_mb=peak_mb,
    )


def as_text(result: InferenceResult) -> str:
    """A table to read."""
    lines = [f"{result.description}; {result.frames} frames"]
    for name, timing in result.timings.items():
        lines.append(
            f"{name:38s} {result.rate_per_s(name):8.1f} frames/s "
            f"({result.frames / max(timing.wall_s):.1f} … {result.frames / min(timing.wall_s):.1f}) "
            f"{timing.median_cpu_s * 1000 / result.frames:7.2f} ms CPU a frame"
            + ("" if name == PRODUCT else f"   {PRODUCT} is {timing.median_s / result.timings[PRODUCT].median_s:.2f} ×")
        )
    limit = RESIDENT if RESIDENT in result.timings else "cores / (decode + forward CPU)"
    lines.append(
        f"{f'limit: {limit}':38s} {result.limit_per_s:8.1f} frames/s; "
        f"{PRODUCT} reaches {result.of_limit:.2f} of it; peak memory {result.peak_mb:.0f} MB"
    )
    return "\n".join(lines)


class _Parts:
    """Decoding without a network, and the network without pictures, each on as many lanes as the product has."""

    def __init__(self, backend: Backend, card: ModelCard, jpegs: Sequence[bytes], batch: int | None) -> None:
        self._backend = backend
        self._form: PixelForm = layout_of(card, backend.facts).pixel_form
        placing = BatchedDetector(backend, card, load_classes())
        self._jpegs = [(jpeg, placing.letterbox(check_jpeg(jpeg).size_px)) for jpeg in jpegs]
        self._lanes = ThreadLanes(backend.lanes)
        self._batch = min(batch or backend.best_batch, backend.best_batch)
        self._memory: dict[tuple[int, SizePx, int], U8] = {}
        self._residents: dict[tuple[SizePx, int], Callable[[], None]] = {}

    def decode(self) -> None:
        """Header, pixels and place in the batch of every picture."""
        self._lanes.run([self._jpegs], self._decode_one, lambda *_: None)

    def forward(self) -> None:
        """Every picture's share of a batch through the network."""
        self._lanes.run([self._calls()], self._forward_one, lambda *_: None)

    def resident(self) -> None:
        """Every picture's share of a batch that lies on the GPU already through the network."""
        for input_px, count in self._calls():
            key = (input_px, count)
            if key not in self._residents:
                assert isinstance(self._backend, DeviceBackend), "a GPU's backend keeps pictures there"
                self._residents[key] = self._backend.resident((count, input_px[1], input_px[0], 3), self._form)
            self._residents[key]()

    def _calls(self) -> list[tuple[SizePx, int]]:
        """Input size and count of every batch."""
        return [
            (letterbox.input_px, min(self._batch, len(self._jpegs) - start))
            for start in range(0, len(self._jpegs), self._batch)
            for _, letterbox in self._jpegs[start : start + 1]
        ]

    def _decode_one(self, item: tuple[bytes, Letterbox], lane: int) -> None:
        jpeg, letterbox = item
        pixels = decode_jpeg(jpeg, check_jpeg(jpeg).size_px, letterbox.placed_px)
        write_into(self._buffer(lane, letterbox.input_px, 1)[0], pixels, letterbox)

    def _forward_one(self, call: tuple[SizePx, int], lane: int) -> None:
        input_px, count = call
        self._backend.forward(self._buffer(lane, input_px, count), self._form, lane)

    def _buffer(self, lane: int, input_px: SizePx, count: int) -> U8:
        key = (lane, input_px, count)
        if key not in self._memory:
            self._memory[key] = np.full((count, input_px[1], input_px[0], 3), 114, np.uint8)
        return self._memory[key]


def read_jpegs(folder: Path, *, count: int, is_repeated: bool = True) -> list[bytes]:
    """JPEG files of a folder by name, repeated or cut to `count`; raises BenchError when there is none."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    if not files:
        raise BenchError(f"{folder}: no JPEG in this folder")
    if not is_repeated:
        count = min(count, len(files))
    return [files[number % len(files)].read_bytes() for number in range(count)]
