"""The passage that things leave, beside an independent search for it on a raster of the sidewalk."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.street.body import Body, BodyKind
from sim.street.clearance import passage_of
from sim.street.street import Rect

WALK = Rect(x0=0, y0=0, x1=3, y1=14)
CELL_M = 0.05


def thing(
    x_m: float, y_m: float, *, wide: float = 1.0, long: float = 1.0, heading_deg: float = 0.0, name: str = "a"
) -> Body:
    return Body(
        id=name, kind=BodyKind.GOODS, x_m=x_m, y_m=y_m, heading_deg=heading_deg,
        length_m=long, width_m=wide, height_m=1,
    )  # fmt: skip


def ids(things: tuple[Body, ...]) -> list[str]:
    return [body.id for body in things]


def test_an_empty_sidewalk_is_as_wide_as_it_is() -> None:
    passage = passage_of(WALK, [])
    assert (passage.width_m, passage.chain) == (3.0, ())


def test_a_thing_at_the_wall_leaves_the_rest() -> None:
    passage = passage_of(WALK, [thing(2.5, 5)])
    assert (passage.width_m, ids(passage.chain)) == (2.0, ["a"])


def test_a_thing_in_the_middle_leaves_its_wider_side() -> None:
    assert passage_of(WALK, [thing(1.25, 5, wide=0.5)]).width_m == 1.5


def test_a_thing_across_the_whole_sidewalk_leaves_nothing() -> None:
    passage = passage_of(WALK, [thing(1.5, 5, wide=4)])
    assert (passage.width_m, ids(passage.chain)) == (0.0, ["a"])


def test_two_things_side_by_side_leave_the_widest_of_three_gaps() -> None:
    passage = passage_of(WALK, [thing(0.5, 5, name="a"), thing(2.25, 5, wide=0.5, name="b")])
    assert (passage.width_m, sorted(ids(passage.chain))) == (1.0, ["a", "b"])


def test_two_things_far_apart_leave_what_the_larger_one_leaves() -> None:
    passage = passage_of(WALK, [thing(0.5, 3, name="a"), thing(2.25, 11, wide=1.5, name="b")])
    assert (passage.width_m, ids(passage.chain)) == (1.5, ["b"])


def test_a_slalom_is_as_wide_as_its_diagonal() -> None:
    things = [thing(0.75, 5, wide=1.5, name="a"), thing(2.25, 7, wide=1.5, name="b")]
    assert passage_of(WALK, things).width_m == 1.0


def test_what_stands_beside_the_sidewalk_is_not_in_the_way() -> None:
    assert passage_of(WALK, [thing(3.5, 5), thing(-0.5, 5)]).chain == ()


def test_only_the_part_on_the_sidewalk_counts() -> None:
    assert passage_of(WALK, [thing(3.0, 5)]).width_m == 2.5


def _raster_width_m(things: list[Body]) -> float:
    """The largest disc, in steps of two cells, whose middle gets from one end to the other."""
    rows, columns = round((WALK.y1 - WALK.y0) / CELL_M), round((WALK.x1 - WALK.x0) / CELL_M)
    free = np.ones((rows, columns), np.uint8)
    y_m, x_m = np.mgrid[0:rows, 0:columns] * CELL_M + CELL_M / 2
    for body in things:
        ahead, right = body.axes()
        off = np.stack((x_m - body.x_m, y_m - body.y_m), axis=-1)
        free[(np.abs(off @ ahead) <= body.length_m / 2) & (np.abs(off @ right) <= body.width_m / 2)] = 0
    walls = cv2.copyMakeBorder(free, 0, 0, 1, 1, cv2.BORDER_CONSTANT, value=0)
    room_m = cv2.distanceTransform(walls, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[:, 1:-1] * CELL_M
    for width_m in np.arange(WALK.x1 - WALK.x0, 0, -CELL_M):
        labels = cv2.connectedComponents((room_m >= width_m / 2).astype(np.uint8))[1]
        if set(labels[0][labels[0] > 0]) & set(labels[-1][labels[-1] > 0]):
            return float(width_m)
    return 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.2, 2.8), st.floats(5, 9), st.floats(0.3, 1.4), st.floats(0.3, 1.4), st.floats(0, 180)),
        max_size=5,
    )
)
def test_the_passage_is_what_a_search_on_a_raster_finds(
    rows: list[tuple[float, float, float, float, float]],
) -> None:
    things = [thing(x, y, wide=w, long=a, heading_deg=h, name=str(n)) for n, (x, y, w, a, h) in enumerate(rows)]
    assert passage_of(WALK, things).width_m == pytest.approx(_raster_width_m(things), abs=3 * CELL_M)
