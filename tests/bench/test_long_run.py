"""`bench history`: things really come, open an incident and go again."""

from __future__ import annotations

import pytest

from bench.errors import BenchError
from bench.long_run import PARTS, as_text, bench_history


def test_most_things_that_come_open_an_incident_and_are_cleared() -> None:
    result = bench_history(frames=2000)
    assert result.came == 200
    assert result.events["opened"] > 80
    assert result.events["opened"] - result.events["cleared"] <= result.most_visits
    assert 2 <= result.most_visits < 40


def test_every_tenth_is_measured() -> None:
    result = bench_history(frames=105)
    assert len(result.us_per_frame) == len(result.rss_mb) == PARTS
    assert min(result.us_per_frame) > 0
    assert result.newcomer_us_per_frame > 0
    told = result.to_json()
    assert told["last_to_first"] == pytest.approx(result.to_first, abs=1e-3)
    assert told["last_to_newcomer"] == pytest.approx(result.to_newcomer, abs=1e-3)
    assert "a new camera" in as_text(result)


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(BenchError, match="take 100 or more"):
        bench_history(frames=99)
