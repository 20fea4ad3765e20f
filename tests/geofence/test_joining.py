"""One trouble that several sources tell of is one incident, from the first that opens it to the last that clears it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from geofence.errors import GeofenceError
from geofence.joining import OpenIncidents, join, without_strangers
from geofence.messages import CellMatch, EventType, IncidentEvent, IncidentKind
from geofence.site import Site
from tests.geofence.conftest import NOON

OPENED, UPDATED, CLEARED = EventType.OPENED, EventType.UPDATED, EventType.CLEARED
PARKING, GARBAGE = IncidentKind.ILLEGAL_PARKING, IncidentKind.EXPOSED_GARBAGE
SIDEWALK, BIN = IncidentKind.BLOCKED_SIDEWALK, IncidentKind.BIN_OVERFLOW


class Told:
    """Feeds events of sources, keeps those of the site; places in metres east of a point."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.incidents = OpenIncidents()
        self.events: list[IncidentEvent] = []

    def tell(
        self,
        source: str,
        event: EventType,
        name: str,
        *,
        kind: IncidentKind = PARKING,
        east_m: float = 0.0,
        subject: str = "car",
        zone_id: str = "kerb-1",
        second: float = 0,
    ) -> IncidentEvent | None:
        lat, lng = self.site.plane.to_lat_lng(np.array([(east_m, 0.0)]))[0]
        one = IncidentEvent(
            event=event,
            incident_id=name,
            kind=kind,
            site_id="demo",
            place_key=f"sensor:{source}" if source.startswith(("bin", "bay")) else f"zone:{zone_id}:{east_m:.0f}",
            source_id=source,
            subject=subject,
            lat=float(lat),
            lng=float(lng),
            cell="110101001001010",
            cell_match=CellMatch.INSIDE,
            zone_id=zone_id,
            surface="roadway",
            began_at=NOON,
            at=NOON + timedelta(seconds=second),
            dwell_s=second,
            confidence=0.8,
            reason="",
        )
        self.incidents = OpenIncidents.from_json(self.incidents.to_json())
        self.incidents, told = join(self.incidents, one, plane=self.site.plane, settings=self.site.config.dwell)
        if told is not None:
            self.events.append(told)
        return told

    @property
    def story(self) -> list[tuple[EventType, str]]:
        return [(event.event, event.incident_id) for event in self.events]


@pytest.fixture
def told(small_site: Site) -> Told:
    return Told(small_site)


def test_what_one_source_tells_goes_on_as_it_is(told: Told) -> None:
    told.tell("cam-1", OPENED, "a")
    told.tell("cam-1", UPDATED, "a")
    told.tell("cam-1", CLEARED, "a")
    assert told.story == [(OPENED, "a"), (UPDATED, "a"), (CLEARED, "a")]
    assert told.incidents == OpenIncidents()


def test_the_same_car_before_two_cameras_is_one_incident_until_neither_sees_it(told: Told) -> None:
    told.tell("cam-1", OPENED, "a")
    second = told.tell("cam-2", OPENED, "b", east_m=1.9)
    told.tell("cam-2", UPDATED, "b", east_m=1.9)
    told.tell("cam-1", CLEARED, "a")
    told.tell("cam-2", UPDATED, "b", east_m=1.9)
    told.tell("cam-2", CLEARED, "b", east_m=1.9)
    assert told.story == [(OPENED, "a"), (UPDATED, "a"), (UPDATED, "a"), (UPDATED, "a"), (CLEARED, "a")]
    assert second is not None
    identity = {(e.place_key, e.lat, e.lng, e.cell, e.subject, e.began_at, e.zone_id) for e in told.events}
    assert len(identity) == 1
    assert second.source_id == "cam-2"


@pytest.mark.parametrize(
    ("second", "is_same"),
    [
        ({"east_m": 2.1}, False),
        ({"east_m": 0.5, "kind": GARBAGE, "subject": "garbage"}, False),
    ],
)
def test_another_place_or_kind_is_another_incident(told: Told, second: dict[str, object], is_same: bool) -> None:
    told.tell("cam-1", OPENED, "a")
    told.tell("cam-2", OPENED, "b", **second)  # type: ignore[arg-type]
    assert (told.story[1] == (UPDATED, "a")) is is_same


def test_a_camera_that_is_lost_keeps_nothing_open(told: Told) -> None:
    told.tell("cam-1", OPENED, "a", second=60)
    told.tell("cam-2", OPENED, "b", second=70)
    told.tell("cam-1", UPDATED, "a", second=120)
    for second in range(130, 500, 60):
        told.tell("cam-2", UPDATED, "b", second=second)
    cleared = told.tell("cam-2", CLEARED, "b", second=520)
    assert cleared is not None
    assert (cleared.event, cleared.incident_id) == (CLEARED, "a")
    assert told.incidents.told == ()


def test_a_bay_sensor_that_said_it_once_still_counts(told: Told) -> None:
    told.tell("bay-1", OPENED, "a", second=60)
    told.tell("cam-2", OPENED, "b", second=70)
    assert told.tell("cam-2", CLEARED, "b", second=5000) is None


def test_one_camera_knows_what_is_two_things_by_itself(told: Told) -> None:
    told.tell("cam-1", OPENED, "a")
    told.tell("cam-1", OPENED, "b", east_m=1.0)
    assert told.story == [(OPENED, "a"), (OPENED, "b")]


@pytest.mark.parametrize("is_sensor_first", [True, False])
def test_a_full_bin_that_a_camera_sees_spilling_is_one_incident(told: Told, is_sensor_first: bool) -> None:
    def camera() -> None:
        told.tell("cam-1", OPENED, "c", kind=GARBAGE, subject="overflow", east_m=2.5)

    def sensor() -> None:
        told.tell("bin-7", OPENED, "s", kind=BIN, subject="level")

    for speak in (sensor, camera) if is_sensor_first else (camera, sensor):
        speak()
    first = "s" if is_sensor_first else "c"
    assert told.story == [(OPENED, first), (UPDATED, first)]
    assert told.events[0].kind == told.events[1].kind


def test_bags_beside_a_full_bin_are_another_trouble(told: Told) -> None:
    told.tell("bin-7", OPENED, "s", kind=BIN, subject="level")
    told.tell("cam-1", OPENED, "c", kind=GARBAGE, subject="garbage", east_m=1.0)
    assert [event for event, _ in told.story] == [OPENED, OPENED]


def test_a_taken_bay_and_the_car_in_it_are_one(told: Told) -> None:
    told.tell("bay-3", OPENED, "s", subject="occupied")
    told.tell("cam-1", OPENED, "c", east_m=2.0)
    assert told.story == [(OPENED, "s"), (UPDATED, "s")]


def test_two_full_bins_side_by_side_are_two(told: Told) -> None:
    told.tell("bin-7", OPENED, "s", kind=BIN, subject="level")
    told.tell("bin-8", OPENED, "t", kind=BIN, subject="level", east_m=0.7)
    assert told.story == [(OPENED, "s"), (OPENED, "t")]


def test_a_blockade_is_one_whichever_of_its_obstacles_are_seen(told: Told) -> None:
    told.tell("cam-1", OPENED, "a", kind=SIDEWALK, zone_id="walk")
    told.tell("cam-2", OPENED, "b", kind=SIDEWALK, zone_id="walk", east_m=14)
    assert told.story == [(OPENED, "a"), (UPDATED, "a")]


def test_blockades_far_apart_or_on_two_sidewalks_are_two(told: Told) -> None:
    told.tell("cam-1", OPENED, "a", kind=SIDEWALK, zone_id="walk")
    told.tell("cam-2", OPENED, "b", kind=SIDEWALK, zone_id="walk", east_m=16)
    told.tell("cam-2", OPENED, "c", kind=SIDEWALK, zone_id="other", east_m=1)
    assert told.story == [(OPENED, "a"), (OPENED, "b"), (OPENED, "c")]


def test_saved_text_of_something_else_is_refused() -> None:
    with pytest.raises(GeofenceError, match="saved open incidents are not readable"):
        OpenIncidents.from_json('{"told": 3}')
    assert replace(OpenIncidents()) == OpenIncidents.from_json("{}")


def test_what_no_source_of_the_site_sees_any_more_is_forgotten(told: Told) -> None:
    told.tell("cam-01", OPENED, "a")
    told.tell("cam-02", OPENED, "b")
    told.tell("cam-03", OPENED, "c", east_m=90.0)
    assert [one.incident_id for one in told.incidents.told] == ["a", "c"]
    (left,) = without_strangers(told.incidents, {"cam-02"}).told
    assert (left.incident_id, dict(left.own)) == ("a", {"cam-02": "b"})
    assert without_strangers(told.incidents, {"cam-01", "cam-02", "cam-03"}) == told.incidents
