"""What a load test measured, and who was too slow."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

# One in a thousand late: the clock of a busy machine, and nobody's fault.
NEGLIGIBLE_LATE_SHARE = 0.001


class Slow(StrEnum):
    """Why the rate that was asked for was not met."""

    NOBODY = "nobody"
    BROKER = "broker"
    GENERATOR = "generator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Plain counts of a run.

    seconds:   while messages were sent, without the wait for the last acknowledgements
    cpu_s:     of the whole process in these seconds
    blocked_s: how long the average connection held back messages as the broker had not acknowledged enough
    sent:      messages; acknowledged by the broker, never with QoS 0
    late_*:    messages that were due and given up, by whose fault
    resent:    packets that were sent again after a reconnect
    """

    seconds: float
    cpu_s: float
    blocked_s: float
    asked_rate: float
    sent: int
    acknowledged: int
    late_broker: int
    late_generator: int
    resent: int
    reconnects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport(Tally):
    """A tally and what follows from it; None where nothing was measured.

    ack_*_s: from the departure of a batch to its last acknowledgement
    """

    rate: float
    late: int
    slow: Slow
    cpu_share: float
    per_cpu_s: float | None
    ack_p50_s: float | None
    ack_p99_s: float | None
    ack_max_s: float | None

    @staticmethod
    def of(tally: Tally, *, latencies_s: npt.NDArray[np.float64], slowest_s: float) -> LoadReport:
        """latencies_s: (N,), a sample; slowest_s: of all."""
        late = tally.late_broker + tally.late_generator
        p50_s, p99_s = np.percentile(latencies_s, (50, 99)).tolist() if len(latencies_s) else (None, None)
        return LoadReport(
            **asdict(tally),
            rate=tally.sent / tally.seconds if tally.seconds else 0.0,
            late=late,
            slow=_who_is_slow(tally, late),
            cpu_share=tally.cpu_s / tally.seconds if tally.seconds else 0.0,
            per_cpu_s=tally.sent / tally.cpu_s if tally.cpu_s else None,
            ack_p50_s=p50_s,
            ack_p99_s=p99_s,
            ack_max_s=slowest_s if len(latencies_s) else None,
        )


def _who_is_slow(tally: Tally, late: int) -> Slow:
    if late <= NEGLIGIBLE_LATE_SHARE * (tally.sent + late):
        return Slow.NOBODY
    return Slow.BROKER if tally.late_broker >= tally.late_generator else Slow.GENERATOR
