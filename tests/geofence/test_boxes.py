"""Boxes through time: what is a way, what pushes edges in or out, and when another thing is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from geofence.boxes import (
    NOTHING_SETTLED,
    Box,
    Settled,
    Sighting,
    Verdict,
    goes_on,
    has_moved_on,
    is_leaving,
    is_moving,
    off_edges,
    sparse,
    verdict,
)

START = datetime(2026, 5, 1, tzinfo=UTC)
USUAL: Box = (100.0, 100.0, 200.0, 180.0)


def seen(second: float, xyxy: Box, *, unseen_s: float = 1.0, interval_s: float = 1.0) -> Sighting:
    at = START + timedelta(seconds=second)
    return Sighting(
        at=at,
        before=at - timedelta(seconds=interval_s),
        unseen=timedelta(seconds=unseen_s),
        age=timedelta(seconds=second),
        xyxy=xyxy,
        name="car",
        confidence=0.8,
    )


def settled(tremble_px: float = 1.0, count: int = 30) -> Settled:
    rng = np.random.default_rng(7)
    known = NOTHING_SETTLED
    for _ in range(count):
        x0, y0, x1, y1 = (np.array(USUAL) + rng.normal(0, tremble_px, 4)).tolist()
        known = known.with_box((x0, y0, x1, y1))
    return known


def shifted(px: float, down: float = 0.0) -> Box:
    return USUAL[0] + px, USUAL[1] + down, USUAL[2] + px, USUAL[3] + down


def grown(px: float) -> Box:
    return USUAL[0] - px, USUAL[1] - px, USUAL[2] + px, USUAL[3] + px


def test_settled_boxes_have_the_mean_and_spread_of_their_edges() -> None:
    rng = np.random.default_rng(1)
    boxes = np.array(USUAL) + rng.normal(0, 3, (50, 4))
    known = NOTHING_SETTLED
    for row in boxes.tolist():
        known = known.with_box((row[0], row[1], row[2], row[3]))
    assert known.mean == pytest.approx(boxes.mean(axis=0))
    assert known.tremble == pytest.approx(boxes.std(axis=0, ddof=1))


def test_an_edge_is_off_by_itself() -> None:
    assert off_edges(settled(), USUAL) == ""
    assert off_edges(settled(), (100.0, 100.0, 180.0, 180.0)) == "R"
    assert off_edges(settled(), shifted(20)) == "LR"


def test_who_drives_out_and_is_followed_left() -> None:
    way = [seen(1, shifted(12)), seen(2, shifted(30))]
    assert is_leaving(settled(), way, seen(6, USUAL, unseen_s=4))
    assert is_leaving(settled(), way[:1], seen(2, shifted(-15)))


def test_what_went_further_with_every_look_and_was_lost_is_not_what_stands_there_then() -> None:
    """Slowly: each box is little further out than the one before."""
    way = [seen(1, shifted(12)), seen(2, shifted(14)), seen(3, shifted(16))]
    assert is_leaving(settled(), way, seen(6, USUAL, unseen_s=3))
    # Seen all the time, it has come back; not going on, it has been moved.
    assert not is_leaving(settled(), way, seen(4, USUAL))
    assert not is_leaving(settled(), [way[0], way[2], way[1]], seen(6, USUAL, unseen_s=3))


@pytest.mark.parametrize(
    "odd",
    [
        [(100.0, 100.0, 180.0, 180.0), (100.0, 100.0, 150.0, 180.0)],
        [grown(10), grown(25)],
        [(100.0, 100.0, 200.0, 165.0), (100.0, 100.0, 200.0, 150.0)],
    ],
    ids=["a walker cuts it", "lamps dazzle", "its foot is hidden"],
)
def test_what_is_cut_or_dazzled_drives_nowhere(odd: list[Box]) -> None:
    way = [seen(second, xyxy) for second, xyxy in enumerate(odd, start=1)]
    assert not is_leaving(settled(), way, seen(6, USUAL, unseen_s=4))
    assert not has_moved_on(settled(), way, shifted(60))


def test_a_new_box_further_along_the_way_is_the_thing_that_moved_on() -> None:
    way = [seen(1, shifted(20))]
    assert has_moved_on(settled(), way, shifted(70))
    assert not has_moved_on(settled(), way, shifted(-70))
    assert not has_moved_on(settled(), way, shifted(15))
    assert not has_moved_on(settled(), way, shifted(900))
    assert not has_moved_on(settled(), [], shifted(70))


def test_a_straight_line_through_boxes_is_a_way_and_a_growing_cut_is_none() -> None:
    assert is_moving([seen(n, shifted(6.0 * n)) for n in range(10)])
    assert is_moving([seen(n, shifted(0, 5.0 * n)) for n in range(10)])
    assert not is_moving([seen(n, (100.0, 100.0, 200.0 - 6.0 * n, 180.0)) for n in range(10)])
    assert not is_moving([seen(n, grown(4.0 * n)) for n in range(10)])
    assert not is_moving([seen(n, shifted(6.0 * n)) for n in range(5)])


def test_three_boxes_that_go_on_are_those_of_a_thing_that_moves() -> None:
    assert goes_on([seen(n, shifted(8.0 * n)) for n in range(3)])
    assert goes_on([seen(0, shifted(0)), seen(1, grown(3)), seen(2, shifted(0, 20.0))])
    assert not goes_on([seen(n, shifted(px)) for n, px in enumerate((0, 20, 18))])
    assert not goes_on([seen(n, shifted(2.0 * n)) for n in range(5)])
    assert not goes_on([seen(0, shifted(0))])


def test_the_same_box_after_an_absence_is_the_same_at_the_third_look() -> None:
    back = [seen(10 + n, USUAL, unseen_s=5 if n == 0 else 1) for n in range(3)]
    assert [verdict(settled(), back[:n], "") for n in (1, 2, 3)] == [Verdict.OPEN, Verdict.OPEN, Verdict.SAME]


def test_another_box_is_another_thing_only_when_it_lasts() -> None:
    back = [seen(10 + n, shifted(12), unseen_s=5 if n == 0 else 1) for n in range(10)]
    verdicts = [verdict(settled(), back[: n + 1], "") for n in range(10)]
    assert verdicts == [Verdict.OPEN] * 8 + [Verdict.OTHER] * 2


def test_lamps_that_dazzle_after_an_absence_make_no_other_thing() -> None:
    back = [seen(10 + n, grown(14) if n < 5 else USUAL, unseen_s=5 if n == 0 else 1) for n in range(16)]
    verdicts = [verdict(settled(), sparse_of(back[: n + 1]), "") for n in range(16)]
    assert Verdict.OTHER not in verdicts
    assert verdicts[-1] == Verdict.SAME


def sparse_of(sightings: list[Sighting]) -> tuple[Sighting, ...]:
    kept: tuple[Sighting, ...] = ()
    for one in sightings:
        kept = sparse(kept, one)
    return kept


def test_an_edge_that_nobody_saw_proves_nothing() -> None:
    back = [seen(10 + n, (100.0, 100.0, 200.0, 150.0), unseen_s=5 if n == 0 else 1) for n in range(10)]
    assert verdict(settled(), back, "") == Verdict.OTHER
    assert verdict(settled(), back, "B") == Verdict.SAME


def test_of_looks_far_apart_two_are_enough() -> None:
    back = [seen(100 + 33 * n, shifted(15), unseen_s=33, interval_s=33) for n in range(2)]
    assert verdict(settled(), back, "") == Verdict.OTHER


def test_sparse_sightings_keep_the_first_and_span_a_while() -> None:
    kept = sparse_of([seen(n / 10, USUAL) for n in range(200)])
    assert kept[0].at == START
    assert len(kept) == 12
    assert kept[-1].at == START + timedelta(seconds=19.9)
    two_gaps_s = [(b.at - a.at).total_seconds() for a, b in zip(kept[1:-2], kept[3:], strict=True)]
    assert min(two_gaps_s) >= 0.7
