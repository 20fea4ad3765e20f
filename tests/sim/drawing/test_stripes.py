"""Cover of bands and rows of bands, against plain summing over fine samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.drawing.stripes import band, mix, pulse


def _one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([value], np.float32)


@given(
    at=st.floats(-20, 20),
    footprint=st.floats(0.05, 8),
    period=st.floats(0.5, 6),
    share=st.floats(0.05, 1),
    low=st.floats(-2, 2),
)
def test_pulse_covers_what_sampling_the_footprint_finds(
    at: float, footprint: float, period: float, share: float, low: float
) -> None:
    samples = np.linspace(at - footprint / 2, at + footprint / 2, 4001)
    expected = np.mean(np.mod(samples - low, period) < share * period)
    found = pulse(_one(at), _one(footprint), period=period, low=low, high=low + share * period)[0]
    assert found == pytest.approx(expected, abs=2e-3)


@given(at=st.floats(-5, 5), footprint=st.floats(0.05, 8), low=st.floats(-3, 3), width=st.floats(0.05, 4))
def test_band_covers_what_sampling_the_footprint_finds(at: float, footprint: float, low: float, width: float) -> None:
    samples = np.linspace(at - footprint / 2, at + footprint / 2, 4001)
    expected = np.mean((samples >= low) & (samples <= low + width))
    assert band(_one(at), _one(footprint), low, low + width)[0] == pytest.approx(expected, abs=2e-3)


def test_mix_lays_half_a_colour_where_half_is_covered() -> None:
    albedo = np.zeros((3, 3), np.float32)
    mix(albedo, np.array([0.0, 0.5, 1.0], np.float32), (0.2, 0.4, 0.6))
    assert albedo == pytest.approx(np.array([(0, 0, 0), (0.1, 0.2, 0.3), (0.2, 0.4, 0.6)]))
