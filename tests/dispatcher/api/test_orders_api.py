"""Reading orders over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import text

from dispatcher.adapters.database import write
from geofence.messages import EventType, IncidentEvent

if TYPE_CHECKING:
    from tests.dispatcher.conftest import Centre

CASE_NO = "1101012026112400001"


def fill(centre: Centre, garbage: IncidentEvent, count: int) -> list[str]:
    """File `count` orders a second apart; return their numbers, newest first."""
    numbers = []
    for number in range(count):
        at = garbage.at + timedelta(seconds=number)
        event = replace(garbage, incident_id=f"inc-{number}", place_key=f"place-{number}", at=at)
        numbers.append(str(centre.send(event).case_no))
    return numbers[::-1]


def listed(client: httpx.Client, query: str = "") -> list[str]:
    answer = client.get(f"/api/orders{query}")
    assert answer.status_code == 200, answer.text
    return [order["case_no"] for order in answer.json()["orders"]]


def test_list_is_newest_first(client: httpx.Client, centre: Centre, garbage: IncidentEvent) -> None:
    assert listed(client) == []
    assert fill(centre, garbage, 3) == listed(client)


def test_pages_meet_without_gap_or_overlap_while_orders_arrive(
    client: httpx.Client, centre: Centre, garbage: IncidentEvent
) -> None:
    numbers = fill(centre, garbage, 5)
    first = client.get("/api/orders?limit=2").json()
    centre.send(replace(garbage, incident_id="new", place_key="new", at=garbage.at + timedelta(hours=1)))
    second = client.get(f"/api/orders?limit=2&cursor={first['next_cursor']}").json()
    third = client.get(f"/api/orders?limit=2&cursor={second['next_cursor']}").json()
    pages = [order["case_no"] for page in (first, second, third) for order in page["orders"]]
    assert pages == numbers
    assert third["next_cursor"] is None


def test_orders_of_the_same_moment_are_paged_by_number(
    client: httpx.Client, centre: Centre, garbage: IncidentEvent
) -> None:
    for number in range(3):
        centre.send(replace(garbage, incident_id=f"inc-{number}", place_key=f"place-{number}"))
    first = client.get("/api/orders?limit=1").json()
    rest = listed(client, f"?cursor={first['next_cursor']}")
    assert [first["orders"][0]["case_no"], *rest] == [f"11010120261124{number:05d}" for number in (3, 2, 1)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=dispatched", 2),
        ("?state=closed", 0),
        ("?state=closed&state=dispatched", 2),
        ("?kind=bin_overflow", 1),
        ("?kind=bin_overflow&kind=exposed_garbage", 2),
        ("?cell=110101001001001", 1),
        ("?is_open=true", 2),
        ("?is_open=false", 0),
        ("?updated_after=2026-11-24T04:00:00Z", 1),
        ("?updated_after=2026-11-24T12:00:00%2B08:00", 1),
        ("?updated_after=2026-11-24T04:00:05Z", 0),
    ],
)
def test_filters(
    client: httpx.Client, centre: Centre, garbage: IncidentEvent, *, bin_overflow: IncidentEvent, query: str, found: int
) -> None:
    centre.send(garbage)
    centre.send(replace(bin_overflow, cell=None, at=garbage.at + timedelta(seconds=5)))
    assert len(listed(client, query)) == found


@pytest.mark.parametrize(
    "query",
    [
        "?limit=501",
        "?limit=0",
        "?state=gone",
        "?kind=fire",
        "?cell=123",
        "?updated_after=2026-11-24T04:00:00",
        "?cursor=nonsense",
        "?cursor=%C3%A9",
        "?cursor=MjAyNi0xMS0yNFQwNDowMDowMHwx",
        "?is_open=perhaps",
    ],
)
def test_unusable_query_is_422_and_names_the_parameter(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/api/orders{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["query", query[1:].partition("=")[0]]


def test_one_order_has_history_evidence_and_incidents(
    client: httpx.Client, centre: Centre, garbage: IncidentEvent
) -> None:
    centre.send(garbage, jpeg=b"\xff\xd8picture")
    centre.send(replace(garbage, event=EventType.CLEARED, at=garbage.at + timedelta(minutes=3)))
    case: dict[str, Any] = client.get(f"/api/orders/{CASE_NO}").json()
    assert [line["event"] for line in case["history"]] == ["reported", "filed", "dispatched", "trouble_gone"]
    assert case["history"][0]["prev_hash"] == "0" * 64
    assert case["history"][1]["prev_hash"] == case["history"][0]["hash"]
    assert case["resolved_at"] == "2026-11-24T04:03:00Z"
    assert case["incident_ids"] == ["inc-1"]
    (evidence,) = case["evidence"]
    assert evidence["xyxy"] == [[10.0, 20.0, 110.0, 90.0]]
    picture = client.get(evidence["href"])
    assert (picture.content, picture.headers["content-type"]) == (b"\xff\xd8picture", "image/jpeg")
    assert picture.headers["x-content-type-options"] == "nosniff"


def test_codes_stay_strings_with_leading_zeros(client: httpx.Client, centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    order = client.get("/api/orders").json()["orders"][0]
    assert (order["matter_code"], order["case_no"], order["cell"]) == ("06010", CASE_NO, "110101001001001")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/orders/{CASE_NO}", 404),
        ("/api/orders/123", 422),
        (f"/api/orders/{CASE_NO}/evidence/{'0' * 64}", 404),
        (f"/api/orders/{CASE_NO}/evidence/xyz", 422),
        ("/api/nothing/here", 404),
    ],
)
def test_what_is_not_there_is_said_in_json(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_geojson_has_longitude_first_and_the_case_number_as_id(
    client: httpx.Client, centre: Centre, garbage: IncidentEvent
) -> None:
    centre.send(garbage)
    answer = client.get("/api/orders.geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    assert body["type"] == "FeatureCollection"
    assert "crs" not in body
    (feature,) = body["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [116.4005, 39.9005]}
    assert (feature["type"], feature["id"]) == ("Feature", CASE_NO)
    assert feature["properties"]["kind"] == "exposed_garbage"


def test_map_layers_are_what_the_site_gave(client: httpx.Client) -> None:
    assert client.get("/api/grid.geojson").json()["features"][0]["properties"]["code"] == "110101001001001"
    assert client.get("/api/zones.geojson").json() == {"type": "FeatureCollection", "features": []}


def test_health_and_metrics_answer(client: httpx.Client, centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    assert client.get("/health").json() == {
        "status": "ok",
        "version": "1.2.3",
        "policy_version": "2026.11-1",
        "last_seq": 2,
    }
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'street721_orders{kind="exposed_garbage",state="dispatched"} 1.0' in metrics.text


def test_lost_database_is_503_in_json(client: httpx.Client, centre: Centre) -> None:
    with write(centre.engine) as connection:
        connection.execute(text("DROP TABLE events"))
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("数据库不可用 · database unavailable")


def test_no_other_origin_is_let_in(client: httpx.Client) -> None:
    answer = client.get("/api/orders", headers={"Origin": "http://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_openapi_describes_every_public_path(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert set(schema["paths"]) == {
        "/api/orders",
        "/api/orders.geojson",
        "/api/orders/{case_no}",
        "/api/orders/{case_no}/evidence/{sha256}",
        "/api/grid.geojson",
        "/api/zones.geojson",
        "/api/events",
        "/health",
        "/metrics",
    }
    answers = schema["paths"]["/api/orders/{case_no}"]["get"]["responses"]
    assert set(answers) == {"200", "404", "422"}
    assert schema["paths"]["/api/events"]["get"]["responses"]["200"]["content"].keys() == {"text/event-stream"}
