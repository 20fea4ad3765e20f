"""When a thing came to rest, and when it drove off, to less than the time between two frames.

Vehicles brake and start about evenly: until it stands, the way that is left to it shrinks with the square of the time.
So do all edges of its box, as long as it does not move far.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from geofence.boxes import DRIFT_TREMBLE, TREMBLE_PX, Sighting

Float64s = npt.NDArray[np.float64]

MIN_BOXES = 6
# Candidates for the moment between two frames.
STEPS = 4
# At least so much of the time it stands, or nobody knows where.
AT_REST_SHARE = 0.3
# The parabola explains the edges better than standing still by so many squared standard deviations, all in all.
EVIDENCE, EDGE_EVIDENCE = 40.0, 9.0
# The least way that counts, as a share of the size.
LEAST_SHARE = 0.03
# Half the acceleration of what starts or brakes, in sizes of its box per square second, is no less: looks that are
# seconds apart fit a crawl as well as a start.
LEAST_PACE = 0.006


def stopped_at(sightings: Sequence[Sighting]) -> datetime | None:
    """When what these show came to rest; None if it stood there all the time, or cannot be told from it."""
    if len(sightings) < MIN_BOXES:
        return None
    start = sightings[0].at
    seconds = np.array([(one.at - start).total_seconds() for one in sightings])
    found = _turn(seconds, np.array([one.xyxy for one in sightings]))
    return None if found is None else start + timedelta(seconds=found)


def started_at(sightings: Sequence[Sighting]) -> datetime | None:
    """When what these show drove off; None if it did not, or cannot be told from it."""
    if len(sightings) < MIN_BOXES:
        return None
    end = sightings[-1].at
    seconds = np.array([(end - one.at).total_seconds() for one in reversed(sightings)])
    found = _turn(seconds, np.array([one.xyxy for one in reversed(sightings)]))
    return None if found is None else end - timedelta(seconds=found)


def _turn(seconds: Float64s, boxes: Float64s) -> float | None:
    """At which of the times between (N,) seconds the (N, 4) boxes that move stand, from then on; None for never."""
    resting = len(seconds) - max(3, round(AT_REST_SHARE * len(seconds)))
    if resting < 1:
        return None
    between = np.arange(1, STEPS + 1) / STEPS
    widths = np.diff(seconds[: resting + 1])[:, None] * np.ones(STEPS)
    turns = (seconds[:resting, None] + between * widths).ravel()
    left = np.clip(turns[:, None] - seconds, 0, None) ** 2
    left -= left.mean(axis=1, keepdims=True)
    edges = boxes - boxes.mean(axis=0)
    power = (left**2).sum(axis=1)
    slopes = left @ edges / power[:, None]
    explained = slopes**2 * power[:, None]
    size = float(np.sqrt(np.prod(np.maximum(boxes[-1, 2:] - boxes[-1, :2], 1.0))))
    rest = ((edges**2).sum(axis=0) - explained) / (len(seconds) - 2)
    variance = np.maximum(rest.min(axis=0), (DRIFT_TREMBLE * size + TREMBLE_PX) ** 2 / 4)
    by_edge = explained / variance
    is_crawl = abs(slopes).max(axis=1) < LEAST_PACE * size
    if is_crawl.all():
        return None
    evidence = np.where(is_crawl, 0.0, by_edge.sum(axis=1))
    best = int(evidence.argmax())
    shift = slopes[best] * (turns[best] - seconds[0]) ** 2
    is_seen = by_edge[best] >= EDGE_EVIDENCE
    # Both edges of a pair go the same way: no lamp or passer-by does that.
    goes = [is_seen[a] and is_seen[b] and shift[a] * shift[b] > 0 for a, b in ((0, 2), (1, 3))]
    if evidence[best] < EVIDENCE or not any(goes) or abs(shift).max() < LEAST_SHARE * size + TREMBLE_PX:
        return None
    return float(np.average(turns, weights=np.exp((evidence - evidence[best]) / 2) * widths.ravel()))
