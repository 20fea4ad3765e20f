"""The tables of actors: what they mean, and what is said about a mistaken one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sim.motion.actors import ActorError, MixPart, TrafficPart
from tests.sim.moving_street import Row, actors_of, world_of

BAG: Row = {"id": "bag", "kind": "bag", "does": "stand", "x_m": 1.0, "y_m": 12.0}
CAR: Row = {"id": "car", "kind": "car", "does": "park", "x_m": -1.2, "y_m": 20.0}


@pytest.mark.parametrize(
    ("row", "key", "right"),
    [
        ({**BAG, "x_m": 5.3}, "x_m", "from -17.2 to 5.2 m"),
        ({**BAG, "x_m": -17.3}, "x_m", "from -17.2 to 5.2 m"),
        ({**BAG, "y_m": 170.5}, "y_m", "from -20 to 170 m"),
        ({**BAG, "fill": [[0, 0.5]]}, "fill", "only a bin has"),
        ({**BAG, "kind": "bin", "dropped_by": "pedestrian"}, "dropped_by", "only with a bag or garbage"),
        ({**BAG, "collected_by": "truck"}, "collected_by", "needs an until_s"),
        ({**BAG, "kind": "car"}, "does", 'write does = "park"'),
        ({**CAR, "kind": "stall"}, "does", "that is for bicycle, bus, car"),
        ({**CAR, "heading_deg": 90.0}, "heading_deg", "right is 0 ± 35"),
        ({**CAR, "x_m": -10.8, "heading_deg": 0.0}, "heading_deg", "right is 180 ± 35"),
        ({"id": "car", "kind": "car", "does": "walk", "points": [[0, 1], [2, 3]]}, "does", "pedestrian"),
        ({"id": "man", "kind": "pedestrian", "does": "walk", "points": [[0, 1], [2, 300]]}, "points", "-20 to 170 m"),
    ],
)
def test_a_mistaken_actor_is_named_with_its_key_and_what_would_be_right(row: Row, key: str, right: str) -> None:
    with pytest.raises(ActorError) as raised:
        world_of(row)
    assert str(raised.value).startswith(f"actors.{row['id']}.{key}: ")
    assert right in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_outer_borders_belong_to_the_street() -> None:
    assert len(world_of({**BAG, "x_m": 5.2, "y_m": 170.0}).bodies_at(0.0)) == 1


def test_two_actors_with_one_id_are_refused() -> None:
    with pytest.raises(ActorError) as raised:
        world_of(BAG, {**BAG, "y_m": 14.0})
    assert (raised.value.actor_id, raised.value.key) == ("bag", "id")


def test_a_car_cannot_come_to_a_place_that_is_taken() -> None:
    with pytest.raises(ActorError, match=r'actors\.car\.from_s: cannot come to -1.2, 20 by second 60: "old"'):
        world_of({**CAR, "id": "old"}, {**CAR, "from_s": 60.0})


def test_a_place_may_be_taken_again_when_the_first_one_is_gone() -> None:
    world = world_of({**CAR, "id": "old", "until_s": 60.0}, {**CAR, "from_s": 78.0})
    assert [body.id for body in world.bodies_at(59.0) if body.y_m == 20.0] == ["old"]
    assert [body.id for body in world.bodies_at(78.0) if body.y_m == 20.0] == ["car"]


@pytest.mark.parametrize(
    "row",
    [
        {**BAG, "from_s": 20.0, "until_s": 20.0},
        {**BAG, "kind": "bin", "fill": [[10, 0.5], [5, 0.6]]},
        {**BAG, "kind": "bin", "fill": [[10, -0.1]]},
        {**BAG, "size_m": [1.0, 0.0, 1.0]},
        {**BAG, "colour": "red"},
        {**BAG, "does": "fly"},
        {"id": "man", "kind": "pedestrian", "does": "walk", "points": [[0, 1], [0, 1]]},
        {"id": "man", "kind": "pedestrian", "does": "walk", "points": [[0, 1]]},
    ],
)
def test_a_mistyped_table_is_refused(row: Row) -> None:
    with pytest.raises(ValidationError):
        actors_of(row)


def test_traffic_of_nothing_at_all_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        MixPart(car=0, van=0, truck=0, bus=0, motorcycle=0)
    with pytest.raises(ValidationError):
        TrafficPart(vehicles_per_h=-1)
