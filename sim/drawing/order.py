"""Which of two things stands in front: the order in which the painter lays them down.

Two upright things on disjoint convex footprints can be told apart by a vertical plane. What stands on the
camera's side of such a plane cannot be hidden by what stands beyond it. Distances alone would be wrong for a
long bus beside a small car.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

Float64s = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Footprints may touch, and a bag may lean a little over the edge of its bin.
_SLACK_M = 0.02


def stands_before(footprints_m: Float64s, others_m: Float64s, camera_m: Float64s) -> Bools:
    """(N, K): whether thing n certainly cannot be hidden by other k, though it may hide it.

    footprints_m: (N, 4, 2), others_m: (K, 4, 2) corners in order, either sense; camera_m: (2,)
    """
    mine = _near_side(footprints_m, others_m, camera_m)
    theirs = _near_side(others_m, footprints_m, camera_m)
    here = mine[0] | theirs[1].T
    there = mine[1] | theirs[0].T
    return np.asarray(here & ~there)


def paint_order(footprints_m: Float64s, distance_m: Float64s, overlap: Bools, camera_m: Float64s) -> list[int]:
    """Indices far to near.

    footprints_m: (N, 4, 2); distance_m: (N,) decides where the footprints leave it open;
    overlap: (N, N), which pairs share pixels at all; camera_m: (2,)
    """
    before = stands_before(footprints_m, footprints_m, camera_m) & overlap
    waits_for = before.sum(axis=1)
    hiders = [np.flatnonzero(before[:, index]) for index in range(len(distance_m))]
    remaining = set(range(len(distance_m)))
    ready = [(-distance_m[index], index) for index in remaining if waits_for[index] == 0]
    heapq.heapify(ready)
    order: list[int] = []
    while remaining:
        # Three things can hide each other in a ring; the farthest then goes first.
        chosen = heapq.heappop(ready)[1] if ready else max(remaining, key=lambda index: (distance_m[index], -index))
        if chosen not in remaining:
            continue
        remaining.remove(chosen)
        order.append(chosen)
        for hider in hiders[chosen]:
            waits_for[hider] -= 1
            if waits_for[hider] == 0 and hider in remaining:
                heapq.heappush(ready, (-distance_m[hider], int(hider)))
    return order


def _near_side(edges_of: Float64s, others: Float64s, camera_m: Float64s) -> tuple[Bools, Bools]:
    """Over the edges of each thing (N): does one part it from other k (K) with the camera on its own side,
    does one with the camera beyond; two (N, K) arrays.
    """
    edge = np.roll(edges_of, -1, axis=1) - edges_of
    normal = np.stack((-edge[..., 1], edge[..., 0]), axis=-1)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    offset = np.sum(normal * edges_of, axis=-1)
    own_middle = np.einsum("nec,nc->ne", normal, edges_of.mean(axis=1)) - offset
    outward = -np.sign(own_middle)
    reach = np.einsum("nec,kpc->nekp", normal, others) - offset[:, :, None, None]
    parted = (reach * outward[:, :, None, None]).min(axis=3) >= -_SLACK_M
    eye = (normal @ camera_m - offset) * outward
    return (parted & (eye < 0)[:, :, None]).any(axis=1), (parted & (eye > 0)[:, :, None]).any(axis=1)
