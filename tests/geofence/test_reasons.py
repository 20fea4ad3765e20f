"""The line of words in an event: what it says of the place is what its fields say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from detectors.classes import load_classes
from geofence.claims import Incident, Report
from geofence.dwell import DwellSettings
from geofence.messages import EventType, IncidentKind
from geofence.reasons import camera_reason

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
REPORT = Report(
    event=EventType.OPENED,
    incident=Incident(
        incident_id="one",
        kind=IncidentKind.ILLEGAL_PARKING,
        place_key="zone:kerb-1:+1:+2",
        zone_id="kerb-1",
        surface=None,
        ground_m=(1.0, 2.0),
        subject="car",
        began_at=NOON,
    ),
    at=NOON + timedelta(seconds=30),
    dwell=timedelta(seconds=30),
    confidence=0.9,
    is_start_unknown=False,
    boxes=(),
    ground_m=(1.0, 2.0),
    sigma_m=0.2,
)


@pytest.mark.parametrize(("place_sigma_m", "is_said"), [(1.49, False), (1.5, True), (2.0, True)])
def test_a_place_is_called_unsure_by_what_the_event_states_of_it(place_sigma_m: float, is_said: bool) -> None:
    settings = DwellSettings(min_dwell_s=20.0)
    said = camera_reason(REPORT, None, load_classes(), settings, place_sigma_m=place_sigma_m)
    assert (f"place known to ± {place_sigma_m:.1f} m (one standard deviation)" in said) == is_said
    assert (f"位置标准差约 {place_sigma_m:.1f} m" in said) == is_said
