"""The door of the centre: what is usable becomes an order, everything else a dead letter with a reason."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from dispatcher.adapters.tables import dead_letters
from dispatcher.errors import IncidentError
from dispatcher.intake import decode_incident
from dispatcher.messages import Result
from geofence.cloudevents import Evidence, incident_to_json
from geofence.messages import CellMatch, EventType, IncidentEvent, IncidentKind

if TYPE_CHECKING:
    from tests.dispatcher.conftest import Centre


def body_with(event: IncidentEvent, **changes: Any) -> bytes:
    body = json.loads(incident_to_json(event))
    body["data"].update(changes)
    return json.dumps(body).encode()


def test_opened_incident_becomes_an_order_with_its_latency(
    centre: Centre, garbage: IncidentEvent, noon: datetime
) -> None:
    outcome = centre.send(garbage, jpeg=b"\xff\xd8 picture", received_at=noon + timedelta(seconds=1.5))
    assert (outcome.result, outcome.case_no, outcome.latency_s) == (Result.FILED, "1101012026112400001", 1.5)


def test_unusable_body_is_kept_whole_with_its_reason(centre: Centre, noon: datetime) -> None:
    outcome = centre.intake.handle(b"\xff{not json", noon)
    assert outcome.result is Result.DEAD_LETTER
    with centre.engine.connect() as connection:
        letter = connection.execute(select(dead_letters)).one()
    assert (letter.reason, letter.body, letter.received_at) == ("invalid_event", b"\xff{not json", noon)


def test_outcomes_are_counted(centre: Centre, garbage: IncidentEvent, noon: datetime) -> None:
    centre.send(garbage)
    centre.send(garbage)
    centre.intake.handle(b"", noon)
    figures = centre.metrics.render().decode()
    for line in (
        'street721_intake_total{result="filed"} 1.0',
        'street721_intake_total{result="duplicate"} 1.0',
        'street721_intake_total{result="dead_letter"} 1.0',
        'street721_orders{kind="exposed_garbage",state="dispatched"} 1.0',
        "street721_order_latency_seconds_count 1.0",
        "street721_dead_letters 1.0",
        "street721_events_seq 2.0",
    ):
        assert line in figures.splitlines()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lat": 116.4, "lng": 39.9}, "data.lat = '116.4': should be -90..90"),
        ({"lng": 180.5}, "data.lng"),
        ({"lat": math.nan}, "lat: "),
        ({"confidence": 1.2}, "data.confidence = '1.2': should be 0..1"),
        ({"dwell_s": -1}, "data.dwell_s"),
        ({"dwell_s": math.inf}, "dwell_s: "),
        ({"xyxy": [[0, 0, math.inf, 1]]}, "xyxy.0.2: "),
        ({"site_id": "demo/+"}, "data.site_id"),
        ({"cell": "1101010010010"}, "data.cell = '1101010010010': should be 15 or 16 of 0-9A-Z"),
        ({"incident_id": ""}, "data.incident_id"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "data.at"),
        ({"began_at": "1970-01-01T00:00:00Z"}, "data.began_at"),
        ({"kind": "fire"}, "kind"),
        ({"at": "2026-11-24T12:00:00"}, "at"),
    ],
)
def test_impossible_incident_is_one_line(garbage: IncidentEvent, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(IncidentError) as caught:
        decode_incident(body_with(garbage, **changes))
    assert caught.value.reason == "invalid_event"
    assert caught.value.detail.startswith(says)
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 64},
        {"media_type": "text/html"},
        {"data_base64": "A"},
        {"data_base64": "é"},
        {"data_base64": ""},
        {"captured_at": "1970-01-01T00:00:00Z"},
    ],
)
def test_picture_that_cannot_be_evidence_is_refused(garbage: IncidentEvent, change: dict[str, str]) -> None:
    evidence = Evidence.of_jpeg(b"picture", garbage.at).model_dump(mode="json") | change
    with pytest.raises(IncidentError) as caught:
        decode_incident(body_with(garbage, evidence=evidence))
    assert caught.value.reason == "bad_evidence"


def test_unknown_fields_of_a_newer_sender_are_tolerated(garbage: IncidentEvent) -> None:
    _, event, picture = decode_incident(body_with(garbage, weather="rain"))
    assert (event, picture) == (garbage, None)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_raise_incident_error(body: bytes) -> None:
    with pytest.raises(IncidentError):
        decode_incident(body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(field=st.sampled_from([*IncidentEvent.__dataclass_fields__, "evidence"]), value=JSON_VALUES)
def test_any_value_in_any_field_decodes_or_raises_incident_error(field: str, value: Any) -> None:
    event = _any_event()
    body = json.loads(incident_to_json(event))
    body["data"][field] = value
    try:
        _, decoded, _ = decode_incident(json.dumps(body).encode())
    except IncidentError as error:
        detail = error.detail
    else:
        detail = ""
        assert -90 <= decoded.lat <= 90
        assert 0 <= decoded.confidence <= 1
    assert "\n" not in detail


def _any_event() -> IncidentEvent:
    at = datetime.fromisoformat("2026-11-24T04:00:00+00:00")
    return IncidentEvent(
        event=EventType.OPENED, incident_id="i", kind=IncidentKind.BIN_OVERFLOW, site_id="s", place_key="p",
        source_id="b", subject="level", lat=0.0, lng=0.0, cell=None, cell_match=CellMatch.NONE, zone_id=None,
        surface=None, began_at=at, at=at, dwell_s=0.0, confidence=1.0, reason="r",
    )  # fmt: skip


def test_time_is_utc_inside_whatever_offset_came(centre: Centre, garbage: IncidentEvent) -> None:
    body = body_with(garbage, at="2026-11-24T12:00:00+08:00", began_at="2026-11-24T11:50:00+08:00")
    centre.intake.handle(body, garbage.at)
    case = centre.queries.case_file("1101012026112400001")
    assert case is not None
    assert (case.order.opened_at, case.order.began_at) == (garbage.at, garbage.at - timedelta(minutes=10))


def test_late_update_after_a_lost_opening_still_opens_the_case(centre: Centre, garbage: IncidentEvent) -> None:
    outcome = centre.send(replace(garbage, event=EventType.UPDATED))
    assert outcome.result is Result.FILED


@pytest.mark.parametrize("cell", ["110101001001001", "1101010001001001"])
def test_a_cell_has_the_code_of_either_profile(garbage: IncidentEvent, cell: str) -> None:
    assert decode_incident(body_with(garbage, cell=cell))[1].cell == cell
