"""What a load test concludes from its counts."""

from __future__ import annotations

import numpy as np
import pytest

from sim.load.load_report import LoadReport, Slow, Tally


def report_of(*, latencies_s: tuple[float, ...] = (), slowest_s: float = 0.0, **counts: float) -> LoadReport:
    values = {
        "seconds": 10.0,
        "cpu_s": 2.0,
        "blocked_s": 0.0,
        "asked_rate": 100.0,
        "sent": 1000,
        "acknowledged": 1000,
        "late_broker": 0,
        "late_generator": 0,
        "resent": 0,
        "reconnects": 0,
    }
    return LoadReport.of(
        Tally(**values | counts),  # type: ignore[arg-type]
        latencies_s=np.array(latencies_s),
        slowest_s=slowest_s,
    )


def test_rates_and_shares_follow_from_the_counts() -> None:
    report = report_of()
    assert (report.rate, report.cpu_share, report.per_cpu_s, report.late) == (100.0, 0.2, 500.0, 0)


@pytest.mark.parametrize(
    ("late_broker", "late_generator", "slow"),
    [
        (0, 0, Slow.NOBODY),
        (1, 0, Slow.NOBODY),
        (2, 0, Slow.BROKER),
        (0, 2, Slow.GENERATOR),
        (5, 4, Slow.BROKER),
        (4, 5, Slow.GENERATOR),
    ],
)
def test_more_than_one_of_a_thousand_late_is_somebodys_fault(late_broker: int, late_generator: int, slow: Slow) -> None:
    report = report_of(sent=999, late_broker=late_broker, late_generator=late_generator)
    assert report.slow is slow
    assert report.late == late_broker + late_generator


def test_latencies_are_percentiles_of_the_sample_and_the_slowest_of_all() -> None:
    report = report_of(latencies_s=tuple(np.linspace(0.0, 1.0, 101)), slowest_s=3.0)
    assert (report.ack_p50_s, report.ack_p99_s, report.ack_max_s) == pytest.approx((0.5, 0.99, 3.0))


def test_nothing_measured_is_nothing_and_not_zero() -> None:
    report = report_of(seconds=0.0, cpu_s=0.0, sent=0)
    assert (report.per_cpu_s, report.ack_p50_s, report.ack_p99_s, report.ack_max_s) == (None, None, None, None)
    assert (report.rate, report.cpu_share) == (0.0, 0.0)
