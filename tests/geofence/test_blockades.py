"""A sidewalk that is shut at several places: each is an incident of its own, whichever of its things come and go.

The sidewalk runs from 8 to 32 metres before the camera and is 3 metres wide.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from geofence.config import SiteConfig
from geofence.messages import IncidentKind
from geofence.site import Site
from tests.geofence.conftest import NOON, Pinhole, Seen, Watch

SIDEWALK = IncidentKind.BLOCKED_SIDEWALK
NEAR_Y, FAR_Y = 10.0, 27.5


def stall(y: float, name: str = "stall", across_m: float = 2.4, x: float = 1.5) -> Seen:
    """Something that leaves no passage of 1.5 m."""
    return Seen(name, Pinhole().box_of(x, y, across_m, 1.2, 2.1))


def with_merge(site: Site, merge_m: float) -> Site:
    dwell = dict(site.config.dwell)
    dwell[SIDEWALK] = dataclasses.replace(dwell[SIDEWALK], merge_m=merge_m)
    config: SiteConfig = dataclasses.replace(site.config, dwell=dwell)
    return dataclasses.replace(site, config=config)


def steps(watch: Watch) -> list[tuple[str, str]]:
    """What was opened and cleared, with what it was about."""
    return [(event.event.value, event.subject) for event in watch.events if event.event.value != "updated"]


def test_two_places_that_are_shut_are_two_incidents(watch: Watch) -> None:
    opened = watch.see_every(range(20), stall(NEAR_Y), stall(FAR_Y, "goods"))
    assert sorted(event.subject for event in opened) == ["goods", "stall"]
    assert len({event.incident_id for event in opened}) == 2
    assert len({event.place_key for event in opened}) == 2
    assert all(len(event.xyxy) == 1 for event in opened)


def test_each_says_the_passage_that_it_leaves(watch: Watch) -> None:
    opened = watch.see_every(range(20), stall(NEAR_Y), stall(FAR_Y, "goods", across_m=1.8))
    widths = {event.subject: event.clear_width_m for event in opened}
    assert widths == {"stall": pytest.approx(0.3, abs=0.2), "goods": pytest.approx(0.6, abs=0.2)}


@pytest.mark.parametrize(("gone", "stays"), [("stall", "goods"), ("goods", "stall")])
def test_the_one_that_is_opened_is_cleared_and_the_other_goes_on(watch: Watch, gone: str, stays: str) -> None:
    seen = {"stall": stall(NEAR_Y), "goods": stall(FAR_Y, "goods")}
    watch.see_every(range(20), *seen.values())
    watch.see_every(range(20, 40), seen[stays])
    assert steps(watch)[2:] == [("cleared", gone)]


def test_a_second_one_that_comes_later_has_its_own_begin(watch: Watch) -> None:
    watch.see_every(range(20), stall(NEAR_Y))
    watch.see_every(range(20, 45), stall(NEAR_Y), stall(FAR_Y, "goods"))
    assert steps(watch) == [("opened", "stall"), ("opened", "goods")]
    first, second = (event for event in watch.events if event.event.value == "opened")
    assert (second.began_at - first.began_at).total_seconds() == pytest.approx(19.5)


def test_things_close_by_are_one_blockade_whichever_of_them_goes(watch: Watch) -> None:
    row = [stall(NEAR_Y), stall(NEAR_Y + 4), stall(NEAR_Y + 8)]
    watch.see_every(range(20), *row)
    watch.see_every(range(20, 40), *row[1:])
    watch.see_every(range(40, 60), row[1])
    watch.see_every(range(60, 80))
    assert [step for step, _ in steps(watch)] == ["opened", "cleared"]


def test_what_comes_between_two_known_ones_belongs_to_one_of_them(watch: Watch) -> None:
    both = [stall(NEAR_Y), stall(FAR_Y, "goods")]
    watch.see_every(range(20), *both)
    watch.see_every(range(20, 60), *both, stall(18.0, "works"))
    assert [step for step, _ in steps(watch)] == ["opened", "opened"]


def test_one_whose_last_thing_hid_behind_the_others_goes_on(watch: Watch) -> None:
    """How far behind the near one the far one stands, nobody knows before the near one has gone."""
    near, behind = stall(12.0), stall(20.0, across_m=1.75, x=2.12)
    hidden = dataclasses.replace(behind, xyxy=(*behind.xyxy[:3], near.xyxy[1] + 4))
    watch.see_every(range(20), near, hidden)
    watch.see_every(range(20, 50), behind)
    watch.see_every(range(50, 70))
    assert [step for step, _ in steps(watch)] == ["opened", "cleared"]
    assert watch.events[-1].at.second == 49


def moves(watch: Watch, at_s: int, away_s: int) -> None:
    """A stall that is there from 1 s on is taken away, and put up 4 m further after a while."""
    watch.see(0)
    watch.see_every(range(1, at_s), stall(12.0))
    watch.see_every(range(at_s, at_s + away_s))
    watch.see_every(range(at_s + away_s, 80), stall(16.0))
    watch.see_every(range(80, 100))


def pushes(watch: Watch, at_s: float) -> None:
    """A stall that is there from 1 s on is pushed on by 4 m."""
    watch.see(0)
    watch.see_every([0.5 * half for half in range(2, round(2 * at_s))], stall(12.0))
    for step in range(1, 10):
        watch.see(at_s + 0.5 * (step - 1), stall(12.0 + 4 * step / 9))
    watch.see_every([0.5 * half for half in range(round(2 * at_s) + 9, 160)], stall(16.0))
    watch.see_every(range(80, 100))


@pytest.mark.parametrize("at_s", [30, 13])
def test_a_stall_that_is_pushed_on_is_the_same_blockade(watch: Watch, at_s: float) -> None:
    """After it was reported, or before."""
    pushes(watch, at_s)
    assert steps(watch) == [("opened", "stall"), ("cleared", "stall")]
    assert 16 <= watch.events[0].at.second <= 26
    assert watch.events[-1].dwell_s == pytest.approx(79, abs=1)
    moved = [event for event in watch.events if event.reason.find("moved") > 0]
    assert len(moved) == (1 if at_s == 30 else 0)


def test_a_stall_blocks_from_when_it_stands_not_while_it_is_pushed_there(watch: Watch) -> None:
    """At the pace of who walks slowly, past the place of every blockade that might have been."""
    watch.see(0)
    for half in range(2, 160):
        watch.see(half / 2, stall(max(24.0 - 0.5 * half, 10.0)))
    opened, *_ = watch.events
    stands_since_s = 28 / 2
    assert (opened.began_at - NOON).total_seconds() == pytest.approx(stands_since_s, abs=3)


def test_a_sidewalk_that_is_open_for_a_moment_stays_shut(watch: Watch) -> None:
    moves(watch, at_s=30, away_s=6)
    assert steps(watch) == [("opened", "stall"), ("cleared", "stall")]


def test_one_that_people_could_pass_for_a_while_is_shut_anew(watch: Watch) -> None:
    moves(watch, at_s=30, away_s=14)
    opened, cleared, again, _ = (event for event in watch.events if event.event.value != "updated")
    assert cleared.at.second == pytest.approx(29, abs=1)
    assert again.began_at.second == pytest.approx(43, abs=1)
    assert again.incident_id != opened.incident_id


@pytest.mark.parametrize(("merge_m", "incidents"), [(0.0, 2), (2.0, 2), (10.0, 1)])
def test_how_near_is_a_setting(small_site: Site, merge_m: float, incidents: int) -> None:
    watch = Watch(with_merge(small_site, merge_m))
    opened = watch.see_every(range(20), stall(NEAR_Y), stall(NEAR_Y + 6))
    assert len(opened) == len({event.place_key for event in opened}) == incidents


def _order(seen: Sequence[Seen], first: int) -> list[Seen]:
    return [*seen[first:], *seen[:first]]


def test_the_order_of_boxes_changes_nothing(small_site: Site) -> None:
    seen = [stall(NEAR_Y), stall(NEAR_Y + 5, "works"), stall(FAR_Y, "goods")]
    told = []
    for first in range(3):
        watch = Watch(small_site)
        watch.see_every(range(20), *_order(seen, first))
        told.append([(event.incident_id, event.subject) for event in watch.events])
    assert told[0] == told[1] == told[2]
