"""The envelope between gateway and centre: what goes in comes out, repeats are recognised, junk is refused."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geofence.cloudevents import EnvelopeError, Evidence, envelope, incident_from_json, incident_to_json
from geofence.messages import CellMatch, EventType, IncidentEvent, IncidentKind

AT = datetime(2026, 5, 1, 4, 0, 20, 250_000, tzinfo=UTC)
EVENT = IncidentEvent(
    event=EventType.OPENED,
    incident_id="0f" * 16,
    kind=IncidentKind.ILLEGAL_PARKING,
    site_id="demo",
    place_key="zone:kerb-1:+31:+21",
    source_id="cam-01",
    subject="car",
    lat=39.915281,
    lng=116.411036,
    cell="110101001001010",
    cell_match=CellMatch.INSIDE,
    zone_id="kerb-1",
    surface="roadway",
    began_at=AT - timedelta(seconds=20),
    at=AT,
    dwell_s=20.0,
    confidence=0.8,
    reason="违规停放 · illegal parking",
    is_start_unknown=True,
    clear_width_m=0.62,
    is_passage_blocked=True,
    place_sigma_m=0.21,
    xyxy=((364.0, 160.0, 468.0, 290.0),),
)
JPEG = b"\xff\xd8 a picture \xff\xd9"


def edited(**changes: Any) -> bytes:
    """The encoded event with some top-level keys changed; None removes one."""
    body = json.loads(incident_to_json(EVENT))
    for key, value in changes.items():
        body[key] = value
        if value is None:
            del body[key]
    return json.dumps(body).encode()


def edited_data(**changes: Any) -> bytes:
    return edited(data={**json.loads(incident_to_json(EVENT))["data"], **changes})


def test_an_event_comes_out_as_it_went_in() -> None:
    event_id, event, evidence = incident_from_json(incident_to_json(EVENT))
    assert event == EVENT
    assert evidence is None
    assert event_id == f"{'0f' * 16}:opened:1777608020250"


def test_an_event_of_an_older_gateway_lacks_what_it_did_not_know() -> None:
    data = json.loads(incident_to_json(EVENT))["data"]
    new = ("is_start_unknown", "clear_width_m", "is_passage_blocked", "place_sigma_m")
    old = edited(data={key: value for key, value in data.items() if key not in new})
    _, event, _ = incident_from_json(old)
    assert [getattr(event, key) for key in new] == [False, None, False, None]


def test_the_envelope_is_cloudevents_1_0_structured_json() -> None:
    body = json.loads(incident_to_json(EVENT))
    assert {key: body[key] for key in body if key != "data"} == {
        "specversion": "1.0",
        "id": f"{'0f' * 16}:opened:1777608020250",
        "source": "/sites/demo/sources/cam-01",
        "type": "street721.incident.opened",
        "subject": "0f" * 16,
        "time": "2026-05-01T04:00:20.250000Z",
        "datacontenttype": "application/json",
    }
    assert body["data"]["cell"] == "110101001001010"


def test_a_repeat_has_the_same_id_and_the_same_bytes() -> None:
    assert incident_to_json(EVENT) == incident_to_json(EVENT)


@pytest.mark.parametrize(
    "change",
    [{"event": EventType.UPDATED}, {"at": AT + timedelta(milliseconds=1)}, {"incident_id": "ab" * 16}],
)
def test_another_step_has_another_id(change: dict[str, Any]) -> None:
    other = dataclasses.replace(EVENT, **change)
    assert incident_from_json(incident_to_json(other))[0] != incident_from_json(incident_to_json(EVENT))[0]


def test_the_picture_travels_with_its_hash_and_time() -> None:
    _, event, evidence = incident_from_json(incident_to_json(EVENT, Evidence.of_jpeg(JPEG, AT)))
    assert event == EVENT
    assert evidence is not None
    assert (evidence.media_type, evidence.content(), evidence.captured_at) == ("image/jpeg", JPEG, AT)


def test_a_picture_that_was_changed_on_the_way_is_refused() -> None:
    evidence = Evidence.of_jpeg(JPEG, AT)
    changed = evidence.model_copy(update={"data_base64": Evidence.of_jpeg(JPEG + b"!", AT).data_base64})
    with pytest.raises(EnvelopeError, match="does not match its sha256"):
        changed.content()


def test_a_picture_that_is_no_base64_is_refused() -> None:
    broken = Evidence.of_jpeg(JPEG, AT).model_copy(update={"data_base64": "no base64!"})
    with pytest.raises(EnvelopeError, match="evidence is not base64"):
        broken.content()


def test_sensor_events_without_cell_or_zone_come_through() -> None:
    bare = dataclasses.replace(
        EVENT, cell=None, cell_match=CellMatch.NONE, zone_id=None, surface=None, xyxy=(), subject="level"
    )
    assert incident_from_json(incident_to_json(bare))[1] == bare


def test_times_of_other_zones_are_the_same_moment() -> None:
    local = AT.astimezone(timezone(timedelta(hours=8)))
    assert incident_from_json(incident_to_json(dataclasses.replace(EVENT, at=local)))[1].at == AT


def test_fields_of_a_newer_sender_are_tolerated() -> None:
    assert incident_from_json(edited_data(severity="high"))[1] == EVENT
    assert incident_from_json(edited(traceparent="00-0"))[1] == EVENT


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", "body: Invalid JSON"),
        (b"\xff\xfe", "body: Invalid JSON"),
        (b"[]", "body: Input should be an object"),
        (b"[" * 10_000, "body: Invalid JSON: recursion limit exceeded"),
        (edited(specversion="0.3"), "specversion: Input should be '1.0'"),
        (edited(id=None), "id: Field required"),
        (edited(time="2026-05-01T04:00:20"), "time: Input should have timezone info"),
        (edited(type="street721.order.filed"), "type 'street721.order.filed' is not an incident"),
        (edited_data(kind="flying"), "kind: Input should be 'illegal_parking'"),
        (edited_data(lat="north"), "lat: Input should be a valid number"),
        (edited_data(lat=float("nan")), "lat: Input should be a finite number"),
        (edited_data(evidence={"media_type": "image/jpeg"}), "sha256: Field required"),
    ],
)
def test_junk_is_refused_in_one_line(body: bytes, line: str) -> None:
    with pytest.raises(EnvelopeError) as caught:
        incident_from_json(body)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_anything_else(body: bytes) -> None:
    with pytest.raises(EnvelopeError):
        incident_from_json(body)


def test_an_envelope_keeps_the_keys_of_the_specification() -> None:
    body = envelope(event_id="1", source="/s", event_type="t", subject="x", time=AT, data={"a": 1})
    assert set(body) == {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
