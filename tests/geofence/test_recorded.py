"""Recorded detections → events, line by line; a bad line is named by its number."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from detectors.appearance import NUMBERS, to_text
from geofence.messages import IncidentKind
from geofence.permits import Permit
from geofence.recorded import RecordedError, judge_lines, parse_recorded
from geofence.site import Site
from tests.geofence.conftest import NOON, Pinhole

CAR_XYXY = [round(value, 1) for value in Pinhole().box_of(-1.25, 14.0, 1.8, 4.6, 1.5)]


def line(second: float, *detections: dict[str, Any], **more: Any) -> str:
    return json.dumps(
        {
            "camera_id": "cam-01",
            "captured_at": (NOON + timedelta(seconds=second)).isoformat(),
            "detections": list(detections),
            **more,
        }
    )


def car(**changes: Any) -> dict[str, Any]:
    return {"class": "car", "confidence": 0.91, "xyxy": CAR_XYXY, **changes}


def problem_of(site: Site, *lines: str) -> RecordedError:
    with pytest.raises(RecordedError) as caught:
        list(judge_lines(site, lines))
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_parked_car_gives_opened_and_cleared_with_the_promised_keys(small_site: Site) -> None:
    lines = [line(n, car()) for n in range(25)] + [line(n) for n in range(25, 35)]
    opened, cleared = (json.loads(event) for event in judge_lines(small_site, lines))
    assert list(opened)[:10] == [
        "event",
        "incident_id",
        "kind",
        "camera_id",
        "lat",
        "lng",
        "cell",
        "began_at",
        "at",
        "confidence",
    ]
    assert list(opened)[10:] == [
        "subject",
        "zone_id",
        "dwell_s",
        "is_start_unknown",
        "clear_width_m",
        "is_passage_blocked",
        "place_sigma_m",
        "reason",
    ]
    assert (opened["event"], cleared["event"]) == ("opened", "cleared")
    assert (opened["kind"], opened["camera_id"], opened["cell"]) == ("illegal_parking", "cam-01", "110101001001010")
    assert opened["began_at"] == "2026-05-01T04:00:00+00:00"
    assert opened["at"] == "2026-05-01T04:00:20+00:00"
    assert cleared["at"] == "2026-05-01T04:00:24.500000+00:00"
    assert opened["incident_id"] == cleared["incident_id"]
    assert opened["confidence"] == pytest.approx(0.91, abs=1e-4)


def test_blank_lines_and_keys_of_other_programs_are_left_out(small_site: Site) -> None:
    lines = ["", "  \n", line(0, car(track_id=7), image="1.jpg"), "\n"]
    (frame,) = parse_recorded(small_site, lines)
    assert len(frame.detections) == 1
    assert frame.detections.size_px == (960, 540)


def test_another_picture_size_is_taken_from_the_line(small_site: Site) -> None:
    half = [value / 2 for value in CAR_XYXY]
    lines = [line(n, car(xyxy=half), size_px=[480, 270]) for n in range(21)]
    assert [json.loads(event)["event"] for event in judge_lines(small_site, lines)] == ["opened"]


def test_late_and_repeated_lines_change_nothing(small_site: Site) -> None:
    ordered = [line(n, car()) for n in range(25)]
    noisy = [text for n, good in enumerate(ordered) for text in (good, good, line(max(0, n - 3)))]
    assert list(judge_lines(small_site, noisy)) == list(judge_lines(small_site, ordered))


def test_events_before_a_bad_line_are_given_first(small_site: Site) -> None:
    events = judge_lines(small_site, [*(line(n, car()) for n in range(21)), "{"])
    assert json.loads(next(events))["event"] == "opened"
    with pytest.raises(RecordedError, match=r"^line 22: \(whole line\): not JSON"):
        next(events)


@pytest.mark.parametrize(
    ("bad", "line_start"),
    [
        ("not json", "line 2: (whole line): not JSON: "),
        ("[1]", "line 2: (whole line): [1] is not usable; "),
        (line(1, camera_id="cam-1"), "line 2: site demo has no camera 'cam-1'; did you mean 'cam-01'?"),
        (line(1, car(**{"class": "kar"})), "line 2: unknown class 'kar'; did you mean 'car'?"),
        (line(1, captured_at="2026-05-01T04:00:00"), "line 2: captured_at: '2026-05-01T04:00:00' is not usable; "),
        (line(1, car(confidence=1.5)), "line 2: detections[0].confidence: 1.5 is not usable; it should be a number"),
        (line(1, car(confidence=float("nan"))), "line 2: detections[0].confidence: nan is not usable; "),
        (
            line(1, car(xyxy=[1, 2, 3])),
            "line 2: detections[0].xyxy[3]: missing; it should be [x0, y0, x1, y1] in pixels",
        ),
        (line(1, car(xyxy=[9, 2, 3, 8])), "line 2: detections[0]: xyxy [9, 2, 3, 8] has no area; it should be"),
        (line(1, size_px=[0, 5]), "line 2: size_px[0]: 0 is not usable; it should be [width, height] in pixels"),
        (
            line(1, captured_at="0001-01-01T00:00:00+08:00"),
            "line 2: captured_at: 0001-01-01T00:00:00+08:00 is no time of a camera; it should be in 1900 … 2199",
        ),
        ('{"image": "1.jpg", "detections": []}', "line 2: camera_id: missing; it should be the id of a camera"),
    ],
)
def test_a_bad_line_is_named_by_its_number(small_site: Site, bad: str, line_start: str) -> None:
    error = problem_of(small_site, line(0), bad)
    assert error.line_number == 2
    assert str(error).startswith(line_start)


@pytest.mark.parametrize(("plate", "is_told"), [("a" * 64, False), ("b" * 64, True), (None, True)])
def test_a_permit_for_a_plate_is_for_that_vehicle_alone(small_site: Site, plate: str | None, is_told: bool) -> None:
    permit = Permit(
        id="movers",
        kinds=frozenset({IncidentKind.ILLEGAL_PARKING}),
        starts_at=NOON - timedelta(hours=1),
        ends_at=NOON + timedelta(hours=1),
        plate_sha256="a" * 64,
    )
    site = replace(small_site, permits=(permit,))
    # The plate is read in one frame of three.
    lines = [line(n, car(plate_sha256=None if n % 3 else plate)) for n in range(30)]
    assert any(json.loads(event)["event"] == "opened" for event in judge_lines(site, lines)) is is_told


def test_the_look_of_a_recorded_car_tells_the_next_in_its_place(small_site: Site) -> None:
    looks = [to_text(np.random.default_rng(seed).normal(size=NUMBERS)) for seed in (1, 2)]

    def told(second_look: str) -> list[str]:
        lines = [line(n, car(appearance=looks[0] if n < 30 else second_look)) for n in (*range(26), *range(30, 70))]
        events = [json.loads(event)["event"] for event in judge_lines(small_site, lines)]
        return [event for event in events if event != "updated"]

    assert told(looks[0]) == ["opened"]
    assert told(looks[1]) == ["opened", "cleared", "opened"]


def test_what_is_no_appearance_is_refused_with_its_line(small_site: Site) -> None:
    problem = problem_of(small_site, line(0, car()), line(1, car(appearance="AAAA")))
    assert str(problem) == (
        "line 2: detections[0].appearance: 'AAAA' is no appearance; it should be 100 signed bytes in base64"
    )


def test_a_hash_that_is_none_is_refused_with_its_line(small_site: Site) -> None:
    problem = problem_of(small_site, line(0, car()), line(1, car(plate_sha256="A12345")))
    assert problem.line_number == 2
    assert "plate_sha256" in problem.problem
