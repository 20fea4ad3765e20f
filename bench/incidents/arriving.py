"""Scenarios of how frames arrive: rates, wrong clocks, cameras that fall silent, processes that are killed."""

from __future__ import annotations

from datetime import UTC, datetime

from bench.incidents.actors import parks
from bench.incidents.scenario import ClockJump, Delivery, Kill, Rules, Scenario
from bench.incidents.usual import CAR, HEAP, KERB_M, TRAFFIC, heap, scenario
from sim.street.body import BodyKind


def rates() -> list[Scenario]:
    """From a frame in thirty seconds to thirty a second."""
    found = []
    for fps in (0.0333, 0.1, 0.2):
        found.append(
            scenario(
                f"rate-{fps:g}",
                f"{fps:g} frames a second",
                parks("car", KERB_M, 16, 200, 1100),
                heap(2.0, 14, 150, 900),
                seconds=1500,
                delivery=Delivery(fps=fps),
                rules=Rules(parking_s=300, garbage_s=300, blocked_s=300),
            )
        )
    for fps in (0.5, 1.0, 15.0, 30.0):
        found.append(
            scenario(
                f"rate-{fps:g}",
                f"{fps:g} frames a second",
                CAR,
                HEAP,
                *TRAFFIC,
                seconds=230,
                delivery=Delivery(fps=fps),
            )
        )
    found.append(
        scenario(
            "rate-trembles",
            "two frames a second, give or take half",
            CAR,
            HEAP,
            *TRAFFIC,
            delivery=Delivery(fps=2, jitter=0.5),
        )
    )
    return found


def clocks() -> list[Scenario]:
    """Wrong, late and repeated times."""

    def jumps(name: str, says: str, *wrong: ClockJump) -> Scenario:
        return scenario(name, says, CAR, HEAP, *TRAFFIC, delivery=Delivery(fps=2, jumps=wrong))

    return [
        jumps("clock-ahead", "eight frames that are ten minutes ahead", ClockJump(from_s=60, frames=8, offset_s=600)),
        jumps("clock-behind", "ten frames from an hour ago", ClockJump(from_s=60, frames=10, offset_s=-3600)),
        jumps(
            "clock-1970",
            "frames of 1970 and 2036 between the others",
            ClockJump(from_s=40, frames=3, offset_s=-1.78e9),
            ClockJump(from_s=70, frames=5, offset_s=3.1e8),
        ),
        scenario(
            "late-frames",
            "a fifth of the frames come up to five seconds late, a tenth twice",
            CAR,
            HEAP,
            *TRAFFIC,
            delivery=Delivery(fps=2, late=0.2, doubled=0.1),
        ),
        scenario(
            "summer-time",
            "the hour that the clocks go through twice",
            CAR,
            HEAP,
            delivery=Delivery(fps=1),
            begins_at=datetime(2026, 10, 25, 0, 58, tzinfo=UTC),
            timezone="Europe/Berlin",
        ),
    ]


def losses() -> list[Scenario]:
    """Cameras that fall silent."""
    other = parks("other", KERB_M + 0.15, 16.5, 150, 290, kind=BodyKind.VAN)
    return [
        scenario(
            "lost-90",
            "no frame for 90 s, the same car before and after",
            parks("car", KERB_M, 16, 20, 290),
            HEAP,
            seconds=330,
            delivery=Delivery(fps=2, silent=((50, 140),)),
        ),
        scenario(
            "lost-600",
            "no frame for ten minutes",
            parks("car", KERB_M, 16, 20, 800),
            seconds=860,
            delivery=Delivery(fps=1, silent=((50, 650),)),
        ),
        scenario(
            "lost-other",
            "another car stands there after two minutes without a frame",
            parks("car", KERB_M, 16, 20, 100),
            other,
            seconds=340,
            delivery=Delivery(fps=2, silent=((50, 170),)),
        ),
    ]


def kills() -> list[Scenario]:
    """Processes that die and begin again from what they saved."""
    return [
        scenario("killed", "killed twice in the middle of a stay", CAR, HEAP, kills=(Kill(at_s=50), Kill(at_s=120))),
        scenario(
            "killed-replay",
            "killed, and frames come again",
            CAR,
            HEAP,
            *TRAFFIC,
            delivery=Delivery(fps=2),
            kills=(Kill(at_s=60, lost_frames=4), Kill(at_s=110, lost_frames=2, replayed_frames=10)),
        ),
    ]
