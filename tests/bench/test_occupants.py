"""`bench occupants` with a detector that knows two places: the figures add up, and pictures decide them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from bench.drawn_jpegs import drawn_jpegs
from bench.errors import BenchError
from bench.occupants import LIGHTS, SAME_LIGHT, as_text, bench_occupants
from detectors.appearance import appearances, crops
from detectors.classes import load_classes
from detectors.decoding import decode_jpeg
from detectors.glance import Glance
from detectors.letterbox import SizePx
from detectors.messages import FrameDetections

SIZE_PX = (960, 540)


class TwoPlaces:
    """Finds a car at each of some places in every picture; its box trembles."""

    description = "two places"

    def __init__(self, *places: tuple[float, float, float, float]) -> None:
        self._places = np.array(places, np.float32).reshape(-1, 4)
        self._chance = np.random.default_rng(1)

    def prepare(self, sizes_px: Iterable[SizePx]) -> None:
        pass

    def detect(self, jpegs: Sequence[bytes], before: Sequence[Glance | None] = ()) -> list[FrameDetections]:
        return [self._found(jpeg) for jpeg in jpegs]

    def _found(self, jpeg: bytes) -> FrameDetections:
        count = len(self._places)
        xyxy = (self._places + self._chance.normal(0, 1, (count, 4))).astype(np.float32)
        pixels = decode_jpeg(jpeg, SIZE_PX, SIZE_PX)
        return FrameDetections(
            xyxy=xyxy,
            confidence=np.full(count, 0.9, np.float32),
            class_id=np.full(count, load_classes().by_name["car"].id, np.int32),
            size_px=SIZE_PX,
            appearance=appearances(crops(pixels[None], np.zeros(count, np.intp), xyxy)),
        )


def test_every_light_is_counted_and_two_places_are_told_apart() -> None:
    result = bench_occupants(TwoPlaces((120, 120, 320, 270), (560, 250, 760, 400)), drawn_jpegs(2, size_px=SIZE_PX))
    assert set(result.split) == set(LIGHTS)
    assert result.split[SAME_LIGHT][:2] == (4, 0)
    assert result.others[:2] == (4, 4)
    assert f"same light       street721    0 of {result.split[SAME_LIGHT][0]}" in as_text(result)
    assert result.to_json()["pairs_told_apart_reference_told_apart"][0] == 4


def test_pictures_without_two_vehicles_are_refused() -> None:
    with pytest.raises(BenchError, match="two vehicles"):
        bench_occupants(TwoPlaces((120, 120, 320, 270)), drawn_jpegs(1, size_px=SIZE_PX))
