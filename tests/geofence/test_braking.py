"""When things come to rest and drive off, to less than a frame's interval."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from geofence.boxes import Box, Sighting
from geofence.braking import started_at, stopped_at
from tests.geofence.plain_street import START

USUAL = np.array([900.0, 460.0, 1050.0, 590.0])
# How a metre of way shifts the edges: away from the camera, the top less than the foot.
PX_PER_M = np.array([14.0, 9.0, 6.0, 22.0])


def seen(second: float, edges: np.ndarray) -> Sighting:
    at = START + timedelta(seconds=second)
    x0, y0, x1, y1 = edges.tolist()
    return Sighting(
        at=at,
        before=at - timedelta(seconds=0.5),
        unseen=timedelta(),
        age=timedelta(),
        xyxy=(x0, y0, x1, y1),
        name="car",
        confidence=0.8,
    )


def stopping(stop_s: float, seed: int, *, interval_s: float = 0.5, brakes: float = 1.5) -> list[Sighting]:
    """Twelve looks from 1.7 s before the stop on, boxes trembling by 1.5 px."""
    chance = np.random.default_rng(seed)
    first_s = stop_s - 1.7 + float(chance.uniform(0, 0.5))
    looks: list[Sighting] = []
    for number in range(12):
        second = first_s + number * interval_s
        way_m = brakes / 2 * max(0.0, stop_s - second) ** 2
        looks.append(seen(second, USUAL + way_m * PX_PER_M + chance.normal(0, 1.5, 4)))
    return looks


def seconds_of(at: object) -> float:
    assert at is not None
    return (at - START).total_seconds()  # type: ignore[operator,no-any-return]


def test_a_stop_is_known_to_a_third_of_a_second() -> None:
    errors_s = [seconds_of(stopped_at(stopping(20.0, seed))) - 20.0 for seed in range(60)]
    assert np.percentile(np.abs(errors_s), 90) < 0.35
    assert abs(float(np.mean(errors_s))) < 0.15


def test_driving_off_is_the_same_backwards() -> None:
    looks = stopping(20.0, 3)
    backwards = [seen(60.0 - (one.at - START).total_seconds(), np.array(one.xyxy)) for one in reversed(looks)]
    assert seconds_of(started_at(backwards)) == pytest.approx(60.0 - seconds_of(stopped_at(looks)), abs=1e-3)


def test_what_stands_neither_stops_nor_starts() -> None:
    for seed in range(200):
        chance = np.random.default_rng(seed)
        looks = [seen(n / 2, USUAL + chance.normal(0, 2.5, 4)) for n in range(12)]
        assert stopped_at(looks) is None
        assert started_at(looks) is None


@pytest.mark.parametrize(
    "push",
    [(-40.0, -40.0, 40.0, 40.0), (60.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, -50.0)],
    ids=["lamps dazzle", "a walker hides a side", "something hides its foot"],
)
def test_lamps_and_passers_by_move_nothing(push: Box) -> None:
    chance = np.random.default_rng(5)
    shares = [1.0, 0.6, 0.3, *[0.0] * 9]
    looks = [seen(n / 2, USUAL + share * np.array(push) + chance.normal(0, 1.5, 4)) for n, share in enumerate(shares)]
    assert stopped_at(looks) is None


def test_of_few_looks_nothing_is_said() -> None:
    assert stopped_at(stopping(20.0, 1)[:5]) is None
    assert started_at([]) is None


def test_looks_many_seconds_apart_are_no_crawl() -> None:
    """One box beside its place after six seconds: what explains it is a start, not half a minute of creeping."""
    for seed in range(100):
        chance = np.random.default_rng(seed)
        seconds = np.cumsum(chance.uniform(1, 6, 12))
        looks = [seen(second, USUAL + chance.normal(0, 1.5, 4)) for second in [*seconds, seconds[-1] + 6]]
        moved = seen(seconds[-1] + 6, np.array(looks[-1].xyxy) + 0.5 * PX_PER_M)
        start = started_at([*looks[:-1], moved])
        assert start is None or seconds_of(start) > seconds[-1] - 4
