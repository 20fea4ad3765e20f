"""A centre in a temporary folder, and incidents to feed it with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dispatcher.adapters.database import open_engine
from dispatcher.adapters.metrics import CentreMetrics
from dispatcher.adapters.migrate import migrate
from dispatcher.adapters.queries import OrderQueries
from dispatcher.adapters.store import OrderStore
from dispatcher.config import parse_policy
from dispatcher.intake import IncidentIntake
from dispatcher.messages import Outcome
from dispatcher.policy import Policy
from geofence.cloudevents import Evidence, incident_to_json
from geofence.messages import CellMatch, EventType, IncidentEvent, IncidentKind
from tests.sites import ONE_CAMERA

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
"""A Tuesday, 12:00 in Shanghai."""

GARBAGE = IncidentEvent(
    event=EventType.OPENED,
    incident_id="inc-1",
    kind=IncidentKind.EXPOSED_GARBAGE,
    site_id="demo",
    place_key="zone:sidewalk-1:12:3",
    source_id="cam-01",
    subject="garbage",
    lat=39.9005,
    lng=116.4005,
    cell="110101001001001",
    cell_match=CellMatch.INSIDE,
    zone_id="sidewalk-1",
    surface="sidewalk",
    began_at=NOON,
    at=NOON,
    dwell_s=600.0,
    confidence=0.8,
    reason="garbage for 600 s, limit 600 s",
    xyxy=((10.0, 20.0, 110.0, 90.0),),
)
BIN = replace(
    GARBAGE,
    incident_id="inc-bin",
    kind=IncidentKind.BIN_OVERFLOW,
    place_key="sensor:bin-0007",
    source_id="bin-0007",
    subject="level",
    zone_id=None,
    confidence=1.0,
    reason="level 93 >= 90",
    xyxy=(),
)


@dataclass(frozen=True)
class Centre:
    """Everything of a centre but its server."""

    engine: Engine
    policy: Policy
    store: OrderStore
    queries: OrderQueries
    metrics: CentreMetrics
    intake: IncidentIntake

    def send(self, event: IncidentEvent, *, jpeg: bytes | None = None, received_at: datetime | None = None) -> Outcome:
        """Send an incident event through the whole door; received at its own time unless said otherwise."""
        evidence = None if jpeg is None else Evidence.of_jpeg(jpeg, event.at)
        return self.intake.handle(incident_to_json(event, evidence), received_at or event.at)


@pytest.fixture(scope="session")
def policy_text() -> str:
    return (ONE_CAMERA / "policy.toml").read_text("utf-8")


@pytest.fixture(scope="session")
def policy(policy_text: str) -> Policy:
    return parse_policy(policy_text, "policy.toml")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "centre.db"


@pytest.fixture
def centre(database: Path, policy: Policy) -> Iterator[Centre]:
    engine = open_engine(f"sqlite:///{database}")
    migrate(engine)
    store, queries = OrderStore(engine, policy), OrderQueries(engine)
    metrics = CentreMetrics(queries)
    yield Centre(engine, policy, store, queries, metrics, IncidentIntake(store, metrics))
    engine.dispose()


@pytest.fixture
def garbage() -> IncidentEvent:
    """Exposed garbage, opened at noon, seen by a camera."""
    return GARBAGE


@pytest.fixture
def bin_overflow() -> IncidentEvent:
    """A full bin, opened at noon, felt by a sensor."""
    return BIN


@pytest.fixture
def noon() -> datetime:
    return NOON
