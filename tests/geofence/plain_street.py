"""A street without a camera's geometry, for tests of visits and claims: 20 px of the picture are a metre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from geofence.boxes import Box
from geofence.breach import Breach
from geofence.claims import Claim, Report, advance_claims
from geofence.dwell import ZERO, DwellSettings
from geofence.memory import Memory
from geofence.messages import EventType, IncidentKind
from geofence.places import Zone, ZoneKind
from geofence.scene import Scene, Surroundings, Thing
from geofence.visit import Look, Visit
from geofence.visits import advance_visits

START = datetime(2026, 5, 1, tzinfo=UTC)
PARKING, GARBAGE, SIDEWALK = (
    IncidentKind.ILLEGAL_PARKING,
    IncidentKind.EXPOSED_GARBAGE,
    IncidentKind.BLOCKED_SIDEWALK,
)
KINDS = {"vehicle": PARKING, "garbage": GARBAGE, "stall": SIDEWALK}
RULES = {
    PARKING: DwellSettings(min_dwell_s=30, absence_s=5, max_miss_s=60, max_gap_s=20, heartbeat_s=20),
    GARBAGE: DwellSettings(min_dwell_s=30, absence_s=5, max_gap_s=20, heartbeat_s=20, merge_m=10),
    SIDEWALK: DwellSettings(min_dwell_s=30, absence_s=5, max_gap_s=20),
}
ZONE = Zone(id="z", kind=ZoneKind.NO_PARKING, polygon_m=None, hours=None, surface=None)


@dataclass(frozen=True)
class Seen:
    """A thing at `east` metres; 20 px of the picture are a metre, so that boxes and places agree."""

    east: float
    group: str = "vehicle"
    shift_px: float = 0.0
    wide_px: float = 100.0
    name: str = "car"
    appearance: str | None = None

    @property
    def xyxy(self) -> Box:
        left = 20 * self.east + self.shift_px
        return left, 100.0, left + self.wide_px, 200.0

    @property
    def thing(self) -> Thing:
        return Thing(
            group=self.group,
            name=self.name,
            confidence=0.8,
            xyxy=self.xyxy,
            foot_m=(self.east, 0.0),
            appearance=self.appearance,
            can_be_followed=self.group != "garbage",
        )


KIND_OF_NAME = {"car": PARKING, "truck": PARKING, "bag": GARBAGE, "stall": SIDEWALK}


@dataclass
class PlainCamera:
    """Feeds things, all of which break a rule; `others` are boxes of what passes, far from everything on the ground."""

    rules: Mapping[IncidentKind, DwellSettings] = field(default_factory=lambda: RULES)
    visits: list[Visit] = field(default_factory=list)
    claims: tuple[Claim, ...] = ()
    number: int = 1
    clock: timedelta = ZERO
    at: datetime | None = None
    reports: list[tuple[float, EventType, str]] = field(default_factory=list)
    full: list[Report] = field(default_factory=list)

    def see(
        self,
        second: float,
        *seen: Seen,
        others: Sequence[Box] = (),
        people: Sequence[Box] = (),
        at_m: tuple[float, float] = (0.0, 0.0),
        is_silence: bool = False,
    ) -> None:
        """at_m: where the people stand."""
        at = START + timedelta(seconds=second)
        before = None if is_silence else self.at
        counted = ZERO if before is None else at - before
        self.clock += counted
        look = Look(at=at, before=before, counted=counted, clock=self.clock)
        self.at = at
        boxes = np.array([*(one.xyxy for one in seen), *others, *people], np.float64).reshape(-1, 4)
        feet_m = [(one.east, 0.0) for one in seen] + [(999.0, 999.0)] * len(others) + [at_m] * len(people)
        surroundings = Surroundings(
            xyxy=boxes,
            foot_m=np.array(feet_m).reshape(-1, 2),
            is_person=np.arange(len(boxes)) >= len(boxes) - len(people),
        )
        scene = Scene(things=tuple(one.thing for one in seen), surroundings=surroundings)
        reported = frozenset(number for claim in self.claims if claim.incident for number in claim.visits)
        self.visits, left, self.number = advance_visits(
            self.visits,
            scene,
            look,
            rules=lambda name: self.rules[KIND_OF_NAME[name]],
            reported=reported,
            next_number=self.number,
        )
        breaches = [self._breach(visit) for visit in self.visits]
        self.claims, reports = advance_claims(
            self.claims, breaches, self.visits, left, look, site_id="demo", settings=self.rules
        )
        self.full += reports
        self.reports += [(second, report.event, report.incident.place_key) for report in reports]

    def _breach(self, visit: Visit) -> Breach:
        return Breach(
            kind=KINDS[visit.group],
            key=f"visit:{visit.number}",
            visits=(visit.number,),
            place_key=f"z:{visit.anchor_m[0]:.0f}",
            zone=ZONE,
            ground_m=visit.anchor_m,
            subject=visit.name,
            confidence=visit.confidence,
            since=visit.presence.began_at,
            is_start_unknown=visit.presence.is_start_unknown,
            boxes=(visit.last_xyxy,),
            sigma_m=0.1,
        )

    @property
    def events(self) -> list[tuple[float, EventType]]:
        return [(second, event) for second, event, _ in self.reports]

    @property
    def memory(self) -> Memory:
        """What the visits and claims are part of."""
        return Memory(last_frame_at=self.at, visits=tuple(self.visits), claims=self.claims, clock=self.clock)
