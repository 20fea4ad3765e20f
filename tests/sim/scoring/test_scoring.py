"""Scoring: one test per rule, with what lies exactly on its boundary."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from sim.scoring.scoring import Report, ScoringError, Truth, parse_events, parse_truth, score_reports, table_rows
from sim.street.earth import EarthFrame

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
FRAME = EarthFrame(lat=39.9151, lng=116.4110)
CELL = "110101001001010"
PARKING, GARBAGE = "illegal_parking", "exposed_garbage"


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def lat_lng(x_m: float, y_m: float) -> dict[str, float]:
    lat, lng = FRAME.to_lat_lng(np.array([[x_m, y_m]]))[0]
    return {"lat": float(lat), "lng": float(lng)}


def truth(
    number: int = 1,
    *,
    x_m: float = 0.0,
    y_m: float = 0.0,
    began: float = 0.0,
    due: float | None = 20.0,
    ended: float | None = 60.0,
    **other: Any,
) -> Truth:
    """A parked car at noon that is due after 20 s and gone after 60 s."""
    facts = {
        "id": f"t-{number:04d}",
        "kind": PARKING,
        "cell": CELL,
        "sources": ("cam-01",),
        "began_at": at(began),
        "due_at": None if due is None else at(due),
        "ended_at": None if ended is None else at(ended),
        **lat_lng(x_m, y_m),
    }
    return Truth.model_validate(facts | other)


def report(
    name: str = "a",
    *,
    x_m: float = 0.0,
    y_m: float = 0.0,
    opened: float = 20.0,
    cleared: float | None = 65.0,
    kind: str = PARKING,
    cell: str | None = CELL,
) -> Report:
    return Report(
        incident_id=name,
        kind=kind,
        cell=cell,
        opened_at=at(opened),
        cleared_at=None if cleared is None else at(cleared),
        **lat_lng(x_m, y_m),
    )


def event_line(event: str, second: float, name: str = "a", **other: Any) -> str:
    """As `street721 judge --json` prints it."""
    facts = {"event": event, "incident_id": name, "kind": PARKING, "camera_id": "cam-01", **lat_lng(0, 0), "cell": CELL}
    times = {"began_at": at(0).isoformat(), "at": at(second).isoformat(), "confidence": 0.9}
    return json.dumps(facts | times | other)


def cloud_line(event: str, second: float, name: str = "a", **other: Any) -> str:
    """As the gateway sends it."""
    data = json.loads(event_line(event, second, name, **other))
    data["source_id"] = data.pop("camera_id")
    envelope = {"specversion": "1.0", "id": f"{name}:{event}:1", "source": "/sites/demo/sources/cam-01"}
    return json.dumps(envelope | {"type": f"street721.incident.{event}", "time": at(second).isoformat(), "data": data})


def test_a_report_of_the_truth_is_right_in_every_figure() -> None:
    figures = score_reports([truth()], [report(x_m=1.0, opened=23.0)]).total
    assert (figures.truths, figures.reports, figures.matched) == (1, 1, 1)
    assert (figures.precision, figures.recall, figures.f1, figures.duplicates_per_incident) == (1, 1, 1, 0)
    assert (figures.opening_late_median_s, figures.opening_late_p95_s, figures.clearing_late_median_s) == (3, 3, 5)
    assert (figures.distance_median_m, figures.distance_max_m, figures.wrong_cells) == (1, 1, 0)


@pytest.mark.parametrize(("distance_m", "is_right"), [(3.0, True), (3.002, False)])
def test_exactly_three_metres_is_still_right(distance_m: float, is_right: bool) -> None:
    score = score_reports([truth()], [report(y_m=distance_m)])
    assert (len(score.matches), len(score.false_alarms), len(score.missed)) == (is_right, not is_right, not is_right)


@pytest.mark.parametrize(("opened", "is_right"), [(10.0, True), (9.999, False)])
def test_a_report_may_open_the_slack_before_it_is_due_and_no_earlier(opened: float, is_right: bool) -> None:
    score = score_reports([truth()], [report(opened=opened)])
    assert len(score.matches) == is_right
    assert [alarm.reason for alarm in score.false_alarms] == ([] if is_right else [
        "truth not yet due: t-0001 was due 10.0 s later"
    ])  # fmt: skip
    assert len(score.missed) == (not is_right)


@pytest.mark.parametrize(("opened", "is_right"), [(70.0, True), (70.001, False)])
def test_a_report_may_open_the_slack_after_the_end_and_no_later(opened: float, is_right: bool) -> None:
    assert len(score_reports([truth()], [report(opened=opened, cleared=None)]).matches) == is_right


@pytest.mark.parametrize(("cleared", "is_right"), [(990.0, True), (989.999, False)])
def test_a_report_that_cleared_the_slack_before_the_beginning_still_overlaps(cleared: float, is_right: bool) -> None:
    later = truth(began=1000, due=1000, ended=1060)
    score = score_reports([later], [report(opened=990, cleared=cleared)])
    assert len(score.matches) == is_right


def test_what_is_still_open_on_both_sides_overlaps_and_has_no_clearing_error() -> None:
    score = score_reports([truth(ended=None)], [report(opened=9000, cleared=None)])
    assert [match.clearing_late_s for match in score.matches] == [None]
    assert score.total.clearing_late_median_s is None


def test_another_kind_is_right_only_where_the_truth_names_it() -> None:
    seen = report(kind="blocked_sidewalk")
    assert score_reports([truth()], [seen]).total.matched == 0
    score = score_reports([truth(also=("blocked_sidewalk",))], [seen])
    assert [(figures.kind, figures.matched) for figures in score.by_kind] == [(PARKING, 1)]


def test_crossing_distances_are_matched_as_many_as_possible() -> None:
    """The nearest pair first would leave the second report without a truth in reach."""
    truths = [truth(1, y_m=0.0), truth(2, y_m=2.5)]
    reports = [report("near-both", y_m=1.0), report("near-first", y_m=-2.0)]
    score = score_reports(truths, reports)
    assert {match.truth.id: match.report.incident_id for match in score.matches} == {
        "t-0001": "near-first",
        "t-0002": "near-both",
    }


def test_of_two_full_matchings_the_near_and_punctual_one_is_taken() -> None:
    truths = [truth(1, y_m=0.0), truth(2, y_m=1.0)]
    score = score_reports(truths, [report("b", y_m=1.1), report("a", y_m=0.1)])
    assert [match.report.incident_id for match in score.matches] == ["a", "b"]
    follow = [truth(1, due=20, ended=60), truth(2, began=61, due=80, ended=120)]
    score = score_reports(follow, [report("b", opened=80, cleared=120), report("a", opened=20, cleared=66)])
    assert [match.report.incident_id for match in score.matches] == ["a", "b"]


def test_a_further_report_of_a_told_truth_is_a_duplicate_and_wrong() -> None:
    score = score_reports([truth()], [report("far", y_m=2.0), report("near", y_m=0.5)])
    assert [(one.report.incident_id, one.truth.id) for one in score.duplicates] == [("far", "t-0001")]
    figures = score.total
    assert (figures.precision, figures.recall, figures.duplicates_per_incident) == (0.5, 1.0, 1.0)
    assert figures.f1 == pytest.approx(2 / 3)
    assert score.false_alarms == ()


def test_a_report_of_what_never_was_due_is_a_false_alarm_that_says_so() -> None:
    score = score_reports([truth(due=None)], [report()])
    assert [alarm.reason for alarm in score.false_alarms] == ["truth not yet due: t-0001 never lasted long enough"]
    assert (score.total.truths, score.missed, score.total.precision, score.total.recall) == (0, (), 0.0, None)


def test_a_false_alarm_names_the_nearest_truth_of_its_kind() -> None:
    truths = [truth(1, y_m=50), truth(2, y_m=5), truth(3, y_m=0.0, kind=GARBAGE)]
    (alarm,) = score_reports(truths, [report(opened=72.5, cleared=90.0)]).false_alarms
    assert (alarm.nearest_id, alarm.distance_m, alarm.gap_s) == ("t-0002", 5.0, 12.5)
    assert alarm.reason == "nearest truth of kind illegal_parking: t-0002, 5.00 m and 12.5 s away"


def test_a_false_alarm_without_any_truth_of_its_kind_says_so() -> None:
    (alarm,) = score_reports([truth(kind=GARBAGE)], [report()]).false_alarms
    assert (alarm.reason, alarm.nearest_id) == ("no truth of kind illegal_parking", None)


def test_what_no_device_could_see_counts_apart() -> None:
    hidden = truth(sources=())
    silent = score_reports([hidden], [])
    assert (silent.total.truths, silent.total.unseen, silent.missed, silent.total.recall) == (0, 1, (), None)
    told = score_reports([hidden], [report()])
    assert [one.incident_id for one in told.of_unseen] == ["a"]
    assert (told.false_alarms, told.total.reports, told.total.precision) == ((), 0, None)


def test_a_report_belongs_to_the_truth_that_a_device_could_see() -> None:
    score = score_reports([truth(1, sources=()), truth(2, y_m=2.0)], [report()])
    assert [match.truth.id for match in score.matches] == ["t-0002"]


def test_a_wrong_cell_is_listed_and_stays_a_match() -> None:
    score = score_reports([truth()], [report(cell="110101001001011")])
    assert [match.truth.id for match in score.wrong_cells] == ["t-0001"]
    assert (score.total.wrong_cells, score.total.matched) == (1, 1)
    assert score_reports([truth()], [report(cell=None)]).total.wrong_cells == 1
    assert score_reports([truth(cell=None)], [report()]).total.wrong_cells == 0


def test_nothing_against_nothing_has_no_figures() -> None:
    score = score_reports(parse_truth([]), parse_events([]))
    figures = score.total
    assert (figures.truths, figures.reports, score.by_kind) == (0, 0, ())
    undefined = (figures.precision, figures.recall, figures.f1, figures.duplicates_per_incident)
    assert undefined == (None, None, None, None)
    assert (figures.opening_late_p95_s, figures.distance_max_m) == (None, None)


def test_what_only_failed_has_f1_zero_and_what_was_never_reported_none() -> None:
    assert score_reports([truth()], [report(y_m=40)]).total.f1 == 0.0
    assert score_reports([truth()], []).total.f1 is None


def test_percentiles_are_over_all_matches() -> None:
    truths = [truth(n, y_m=100.0 * n) for n in range(21)]
    reports = [report(f"r{n}", y_m=100.0 * n, opened=20.0 + n) for n in range(21)]
    figures = score_reports(truths, reports).total
    assert (figures.opening_late_median_s, figures.opening_late_p95_s) == (10.0, 19.0)


def test_a_kind_has_its_own_figures() -> None:
    truths = [truth(1), truth(2, kind=GARBAGE, y_m=30)]
    score = score_reports(truths, [report(), report("b", y_m=9, kind=GARBAGE)])
    assert [(one.kind, one.precision, one.recall) for one in score.by_kind] == [(GARBAGE, 0, 0), (PARKING, 1, 1)]
    assert (score.total.precision, score.total.recall) == (0.5, 0.5)


@pytest.mark.parametrize("limits", [{"max_distance_m": 0.0}, {"slack_s": -1.0}, {"max_distance_m": float("nan")}])
def test_limits_that_match_nothing_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        score_reports([], [], **limits)


def test_judge_lines_and_cloud_events_tell_the_same_incident() -> None:
    lines = [event_line("opened", 20), "", cloud_line("updated", 40), cloud_line("cleared", 65)]
    assert parse_events(lines) == [report()]
    assert parse_events([*reversed(lines), lines[0]]) == [report()]


def test_an_envelope_of_something_else_is_passed_over() -> None:
    order = json.dumps({"specversion": "1.0", "type": "street721.order.dispatched", "data": {"case_no": "1"}})
    assert parse_events([order]) == []


def test_an_incident_that_never_cleared_is_open() -> None:
    (one,) = parse_events([event_line("opened", 20), event_line("updated", 80)])
    assert one.cleared_at is None


def truth_line(**other: Any) -> str:
    return json.dumps(truth().model_dump(mode="json") | other)


def test_a_truth_line_is_read_whole() -> None:
    assert parse_truth([truth_line(actors=["later versions say more"]), "\n"]) == [truth()]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: is not JSON: "),
        ("[1]", "line 2: is JSON, but not an object {…}"),
        (truth_line(kind=None), "line 2: kind: "),
        (truth_line(lat=116.4), "line 2: lat: "),
        (truth_line(id="t-2", began_at="2026-11-24T12:00:00"), "line 2: began_at: Input should have timezone info"),
        (
            truth_line(id="t-2", due_at=at(-1).isoformat()),
            "line 2: (whole line): due_at 2026-11-24T03:59:59+00:00 is",
        ),
        (truth_line(), "line 2: id 't-0001' is used before; every truth has its own"),
    ],
)
def test_a_bad_truth_line_is_named_by_its_number(line: str, said: str) -> None:
    with pytest.raises(ScoringError) as caught:
        parse_truth([truth_line(), line])
    assert str(caught.value).startswith(said)
    assert caught.value.line_number == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "line 2: is not JSON: "),
        (event_line("opened", 1, lat="north"), "line 2: lat: "),
        (event_line("closed", 1), "line 2: event: Input should be 'opened', 'updated' or 'cleared'"),
        (event_line("cleared", 1, "b"), "line 2: incident b has no 'opened' among its events; give the events from"),
        (json.dumps({"specversion": "1.0", "type": "street721.incident.opened"}), "line 2: data: should be an object"),
    ],
)
def test_a_bad_event_line_is_named_by_its_number(line: str, said: str) -> None:
    with pytest.raises(ScoringError) as caught:
        parse_events([event_line("opened", 1), line])
    assert str(caught.value).startswith(said)


def test_the_json_holds_figures_and_lists() -> None:
    truths = [truth(1), truth(2, y_m=30), truth(3, y_m=60, sources=())]
    reports = [report(cell="110101001001011"), report("b", y_m=1), report("c", y_m=90), report("d", y_m=60)]
    told = json.loads(score_reports(truths, reports).to_json())
    assert (told["all"]["precision"], told["kinds"][PARKING]["recall"]) == (pytest.approx(1 / 3), 0.5)
    assert [one["id"] for one in told["missed"]] == ["t-0002"]
    assert [one["id"] for one in told["unseen"]] == ["t-0003"]
    assert [one["incident_id"] for one in told["duplicates"]] == ["b"]
    assert [one["incident_id"] for one in told["false_alarms"]] == ["c"]
    assert [one["incident_id"] for one in told["of_unseen"]] == ["d"]
    assert told["wrong_cells"] == [
        {"truth": "t-0001", "incident_id": "a", "right": CELL, "reported": "110101001001011"}
    ]


def test_the_table_has_a_row_for_every_kind_and_a_dash_for_what_is_undefined() -> None:
    rows = dict(table_rows(score_reports([truth(), truth(2, kind=GARBAGE)], [report(x_m=0.5)])))
    assert list(rows) == ["kind", GARBAGE, PARKING, "all"]
    column = rows["kind"].index("precision")
    assert [cells[column] for cells in rows.values()] == ["precision", "–", "1.000", "1.000"]
    assert rows[PARKING][rows["kind"].index("distance m (median / max)")] == "0.50 / 0.50"
    assert len({len(cells) for cells in rows.values()}) == 1
