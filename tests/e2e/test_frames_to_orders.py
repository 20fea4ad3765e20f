"""From a camera's picture to a work order with its evidence, and from an empty street to none."""

from __future__ import annotations

import hashlib
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sim.devices.exif import stamp_jpeg

if TYPE_CHECKING:
    from tests.e2e.conftest import Street

FRAMES = 45


def _frames(street: Street, *, garbage: bool) -> list[tuple[str, bytes]]:
    """Frames one second apart, the last one taken now; the site's limit is 15 s."""
    now = datetime.now(UTC)
    return [
        (
            "cameras/cam-01/frame",
            stamp_jpeg(
                street.jpeg(*([street.garbage] if garbage else []), grain=number),
                now - timedelta(seconds=FRAMES - number),
            ),
        )
        for number in range(FRAMES)
    ]


def _send_in_steps(street: Street, messages: list[tuple[str, bytes]]) -> None:
    """No more than may wait per camera at a time, so that the policy drops none."""
    for start in range(0, len(messages), 5):
        street.publish(messages[start : start + 5])
        _wait_for_frames(street, start + 5)


def _wait_for_frames(street: Street, count: int) -> None:
    street.wait_for(lambda: street.counts().get("frames_inferred", 0) >= count, f"frame {count}")


def test_garbage_that_stays_is_one_order_with_its_picture(street: Street) -> None:
    street.start_centre()
    street.start_gateway()
    messages = _frames(street, garbage=True)
    _send_in_steps(street, messages)
    (order,) = street.wait_for(street.orders, "the order")
    assert (order["kind"], order["matter_code"], order["lead_dept"], order["state"]) == (
        "exposed_garbage",
        "06010",
        "HW",
        "dispatched",
    )
    assert order["cell"] == "110101001001010"
    case = street.api(f"/api/orders/{order['case_no']}")
    _check_evidence(street, case, [body for _, body in messages])
    assert [entry["event"] for entry in case["history"]][:3] == ["reported", "filed", "dispatched"]
    assert street.counts()["frames_inferred"] == FRAMES


def _check_evidence(street: Street, case: dict[str, Any], sent: list[bytes]) -> None:
    picture = case["evidence"][0]
    with urllib.request.urlopen(f"http://127.0.0.1:{street.page_port}{picture['href']}") as answer:
        content = answer.read()
    assert content in sent
    assert hashlib.sha256(content).hexdigest() == picture["sha256"]
    x0, _, x1, y1 = picture["xyxy"][0]
    assert (x0 + x1) / 2 == pytest.approx(563, abs=15)
    assert y1 == pytest.approx(318, abs=10)


def test_an_empty_street_is_no_order(street: Street) -> None:
    street.start_centre()
    street.start_gateway()
    _send_in_steps(street, _frames(street, garbage=False))
    assert street.counts()["frames_inferred"] == FRAMES
    assert street.counts().get("incident_events", 0) == 0
    assert street.orders() == []


def test_a_restart_in_the_middle_of_the_dwell_loses_nothing_of_it(street: Street) -> None:
    street.start_centre()
    gateway = street.start_gateway()
    messages = _frames(street, garbage=True)
    _send_in_steps(street, messages[:10])
    gateway.stop(9)
    street.start_gateway()
    for number, message in enumerate(messages[10:20], start=11):
        street.publish([message])
        _wait_for_frames(street, number)
    (order,) = street.wait_for(street.orders, "the order")
    began, opened = datetime.fromisoformat(order["began_at"]), datetime.fromisoformat(order["opened_at"])
    assert (opened - began).total_seconds() == pytest.approx(15, abs=1.1)
