"""The demo's summary: what was seen when, in the order in which it was filed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.demo_site import DemoOrder, refresh, summarise

OPENED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def _row(number: int, state: str = "dispatched") -> dict[str, Any]:
    return {
        "case_no": f"11010120261122{number:05d}",
        "kind": "bin_overflow",
        "cell": "110101001001014",
        "lead_dept": "HW",
        "state": state,
        "due_at": (OPENED + timedelta(hours=4)).isoformat(),
        "opened_at": OPENED.isoformat(),
    }


def test_latency_is_fixed_at_first_sight_and_state_follows() -> None:
    known: dict[str, DemoOrder] = {}
    (fresh,) = refresh(known, [_row(1)], seen_at=OPENED + timedelta(seconds=0.4))
    assert fresh.latency_s == 0.4
    assert refresh(known, [_row(1, "handled")], seen_at=OPENED + timedelta(seconds=9)) == []
    assert (known[fresh.case_no].latency_s, known[fresh.case_no].state) == (0.4, "handled")


def test_the_summary_is_in_filing_order() -> None:
    known: dict[str, DemoOrder] = {}
    refresh(known, [_row(2), _row(1)], seen_at=OPENED + timedelta(seconds=1))
    summary = summarise(list(known.values()), {"frames_inferred": 7, "readings_stored": 9, "dead_letters": 1})
    assert [order["case_no"][-1] for order in summary["orders"]] == ["1", "2"]
    assert set(summary["orders"][0]) == {"case_no", "kind", "cell", "state", "latency_s"}
    assert (summary["frames"], summary["readings"], summary["dead_letters"]) == (7, 9, 1)
