"""Boxes in a picture → polygons on the ground under the things that they show.

A thing is taken for a cuboid of its class's size that stands on the ground. Its place, and how much larger or smaller
than usual it is, are those for which the picture's rectangle around it fits the box best; its direction is that of
the lane or kerb, across it, or any other, as the box has it. Edges of the box that something hides, or that the
picture cuts, say nothing; of stalls and goods, whose sizes differ more, that they reach as far at least.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from detectors.classes import ObjectClass, Role
from geofence.boxes import EDGES, Box
from geofence.homography import Homography
from geofence.pose import Pose

Float64s = npt.NDArray[np.float64]

# How far up the picture the direction "away from the camera" is taken from, pixels.
AWAY_STEP_PX = 1.0
# Standard deviations of a box's edges: a share of its size, and pixels.
EDGE_SHARE, EDGE_PX = 0.02, 0.7
# How much things of a class differ in size, and in height, as a share.
SIZE_SPREAD = {
    Role.VEHICLE: 0.08,
    Role.TWO_WHEELER: 0.12,
    Role.PERSON: 0.15,
    Role.BIN: 0.2,
    Role.OVERFLOW: 0.25,
    Role.GARBAGE: 0.5,
    Role.OBSTACLE: 0.35,
}
HEIGHT_SPREAD = 0.12
# What no box tells: a thing is not the cuboid of its class, and control points are off. A share of the side of a square
# as large as its footprint; measured, see docs/adr/0019.
SHAPE_SHARE = 0.2
# What a direction costs beside the lane's own, in squared standard deviations. Vehicles and stalls stand along the
# kerb unless their boxes say otherwise; two-wheelers stand either way.
ACROSS_COST, SLANTED_COST = {Role.VEHICLE: 1.0, Role.OBSTACLE: 0.3}, 3.0
SLANTS = tuple(math.radians(degrees) for degrees in range(15, 180, 15))
ROUNDS = 8
_STEP_SIZES = np.array([0.01, 0.01, 0.002, 0.002])
_STEPS = np.diag(_STEP_SIZES)
# A foot that is hidden may be anywhere.
_FAR_PX = 1e6
# Which way an edge of ``LTRB`` goes into its box.
_INWARDS = np.array([1.0, 1.0, -1.0, -1.0])
# The eight corners of a cuboid, in halves of its length and width, and its height.
_AHEAD = np.array([-1.0, -1.0, 1.0, 1.0] * 2)
_ASIDE = np.array([-1.0, 1.0, 1.0, -1.0] * 2)
_UP = np.array([0.0] * 4 + [1.0] * 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """The ground under one thing, [east, north] metres.

    corners_m:  four corners in order; center_m: their middle
    heading_rad: of its long side, clockwise from north; length_m, width_m: its sides
    sway_m:     one standard deviation of center_m along its worst direction, from the box's trembling alone
    axis_rad:   direction of the lane or kerb there, None where none is known
    """

    corners_m: tuple[tuple[float, float], ...]
    center_m: tuple[float, float]
    heading_rad: float
    length_m: float
    width_m: float
    sway_m: tuple[float, float]
    axis_rad: float | None = None

    @property
    def lane_rad(self) -> float:
        """Direction of the lane that it stands in; its own where none is known."""
        return self.heading_rad if self.axis_rad is None else self.axis_rad

    @property
    def sigma_m(self) -> float:
        """Standard deviation of center_m along its worst direction."""
        return math.hypot(*self.sway_m)

    def shifted(self, sways: float) -> tuple[tuple[float, float], ...]:
        """The corners where the thing stands so many standard deviations along its worst direction."""
        east_m, north_m = (sways * part_m for part_m in self.sway_m)
        return tuple((east + east_m, north + north_m) for east, north in self.corners_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """A box whose footprint is wanted.

    unseen_edges: of ``LTRB``; axis_rad: direction of the lane or kerb there, None where none is known
    """

    xyxy: Box
    unseen_edges: str
    object_class: ObjectClass
    axis_rad: float | None


def stated_sigma_m(sigma_m: float, object_class: ObjectClass) -> float:
    """Standard deviation of a place with all that it is uncertain by, from what its box's trembling leaves."""
    return math.hypot(sigma_m, SHAPE_SHARE * math.sqrt(object_class.length_m * object_class.width_m))


def fit_footprints(homography: Homography, pose: Pose | None, footings: Sequence[Footing]) -> list[Footprint | None]:
    """The footprint of each box; None where it stands on no visible ground."""
    contacts = [_contact(homography, footing) for footing in footings]
    if pose is None:
        return contacts
    usable = [number for number, contact in enumerate(contacts) if contact is not None]
    found: list[Footprint | None] = [None] * len(footings)
    for number in usable:
        contact = contacts[number]
        assert contact is not None
        found[number] = _fit(pose, footings[number], contact) or contact
    return found


def _contact(homography: Homography, footing: Footing) -> Footprint | None:
    """The lower edge of the box on the ground, and from there away from the camera as deep as the class is.

    A box wider than the mean of length and width shows the thing from its side, so that its width is the depth.
    """
    x0, _, x1, y1 = footing.xyxy
    middle = np.array([[(x0 + x1) / 2, y1]])
    ground = homography.pixel_to_ground(np.vstack(([[x0, y1], [x1, y1]], middle, middle - (0.0, AWAY_STEP_PX))))
    if not np.isfinite(ground).all():
        return None
    left_m, right_m, foot_m, behind_m = ground
    away = (behind_m - foot_m) / np.linalg.norm(behind_m - foot_m)
    across_m = float(np.linalg.norm(right_m - left_m))
    size = footing.object_class
    depth_m = size.width_m if across_m > (size.length_m + size.width_m) / 2 else size.length_m
    corners = np.array([left_m, right_m, right_m + away * depth_m, left_m + away * depth_m])
    is_along = depth_m > across_m
    side = away if is_along else (right_m - left_m) / max(across_m, 1e-9)
    metres_per_px = float(np.linalg.norm(behind_m - foot_m)) / AWAY_STEP_PX
    return Footprint(
        corners_m=tuple((float(east), float(north)) for east, north in corners),
        center_m=(float(corners[:, 0].mean()), float(corners[:, 1].mean())),
        heading_rad=math.atan2(float(side[0]), float(side[1])) % math.pi,
        length_m=max(depth_m, across_m),
        width_m=min(depth_m, across_m),
        sway_m=_pair(away * metres_per_px * (_edge_px(footing)[3] if "B" not in footing.unseen_edges else _FAR_PX)),
        axis_rad=footing.axis_rad,
    )


def _fit(pose: Pose, footing: Footing, contact: Footprint) -> Footprint | None:
    headings, costs = _headings(footing)
    count = len(headings)
    size = footing.object_class
    spread = np.array([SIZE_SPREAD[size.role], max(HEIGHT_SPREAD, SIZE_SPREAD[size.role])])
    sides = np.array([size.length_m, size.width_m, size.height_m])
    sigma_px = _edge_px(footing)
    target = np.array(footing.xyxy)
    is_unseen = np.array([edge in footing.unseen_edges for edge in EDGES])

    def residuals(state: Float64s) -> Float64s:
        """(n·K, 4) states east, north, log size, log height → (n·K, 6) deviations."""
        off_px = _edges(pose, state, np.tile(headings, len(state) // count), sides) - target
        # An edge that is not seen lies no further in than what is seen of it; of vehicles the size tells more.
        inside_px = np.maximum(off_px * _INWARDS, 0.0) if size.role == Role.OBSTACLE else np.zeros(4)
        return np.hstack((np.where(is_unseen, inside_px, off_px) / sigma_px, state[:, 2:] / spread))

    def slopes(state: Float64s, deviation: Float64s) -> Float64s:
        """(K, 6, 4) of the deviations, by differences."""
        moved = residuals((state + _STEPS[:, None, :]).reshape(-1, 4)).reshape(4, count, 6)
        found = np.nan_to_num((moved - deviation) / _STEP_SIZES[:, None, None], nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(found.transpose(1, 2, 0), np.float64)

    state = np.tile([*contact.center_m, 0.0, 0.0], (count, 1))
    deviation = residuals(state)
    damping = np.full(count, 1e-3)
    jacobian = slopes(state, deviation)
    for _ in range(ROUNDS):
        normal = np.einsum("kij,kil->kjl", jacobian, jacobian)
        gradient = np.einsum("kij,ki->kj", jacobian, deviation)
        scale = np.einsum("kjj->kj", normal) * damping[:, None] + 1e-9
        step = np.linalg.solve(normal + scale[:, :, None] * np.eye(4), -gradient[:, :, None])[:, :, 0]
        trial = state + np.clip(step, (-8, -8, -0.5, -0.5), (8, 8, 0.5, 0.5))
        trial_deviation = residuals(trial)
        is_better = _cost(trial_deviation) < _cost(deviation)
        state = np.where(is_better[:, None], trial, state)
        deviation = np.where(is_better[:, None], trial_deviation, deviation)
        damping = np.where(is_better, damping / 5, damping * 10)
        if not is_better.any():
            break
        jacobian = slopes(state, deviation)
    total = _cost(deviation) + costs
    best = int(np.argmin(total))
    if not np.isfinite(total[best]):
        return None
    # How far an unseen edge may lie out is as unknown as ever.
    seen_slopes = np.delete(jacobian[best], np.flatnonzero(is_unseen), axis=0)
    found = _footprint(state[best], float(headings[best]), sides, seen_slopes)
    return replace(found, axis_rad=footing.axis_rad)


def _headings(footing: Footing) -> tuple[Float64s, Float64s]:
    """(K,) directions that the thing may have, and what each costs."""
    size = footing.object_class
    if footing.axis_rad is None:
        headings = [0.0, *SLANTS]
        return np.array(headings), np.zeros(len(headings))
    if size.role in (Role.GARBAGE, Role.OVERFLOW, Role.BIN):
        return np.array([footing.axis_rad, footing.axis_rad + math.pi / 2]), np.array([0.0, 0.0])
    headings = [footing.axis_rad, footing.axis_rad + math.pi / 2]
    slanted = [footing.axis_rad + slant for slant in SLANTS if abs(slant - math.pi / 2) > 1e-6]
    # Half a stall tells nothing of its direction.
    is_whole = size.role == Role.VEHICLE or not footing.unseen_edges
    across_cost = ACROSS_COST.get(size.role, 0.0) if is_whole else 0.0
    return np.array(headings + slanted), np.array([0.0, across_cost] + [SLANTED_COST] * len(slanted))


def _edges(pose: Pose, state: Float64s, headings: Float64s, sides: Float64s) -> Float64s:
    """(K, 4) pixels around the cuboids."""
    sines, cosines = np.sin(headings), np.cos(headings)
    half_m = np.exp(state[:, 2:3]) * sides[:2] / 2
    ahead_m, aside_m = half_m[:, :1] * _AHEAD, half_m[:, 1:] * _ASIDE
    corners = np.empty((len(state), 8, 3))
    corners[:, :, 0] = state[:, :1] + ahead_m * sines[:, None] + aside_m * cosines[:, None]
    corners[:, :, 1] = state[:, 1:2] + ahead_m * cosines[:, None] - aside_m * sines[:, None]
    corners[:, :, 2] = (sides[2] * np.exp(state[:, 3:4])) * _UP
    pixels = pose.project(corners.reshape(-1, 3)).reshape(len(state), 8, 2)
    return np.asarray(np.hstack((pixels.min(axis=1), pixels.max(axis=1))), np.float64)


def _cost(deviation: Float64s) -> Float64s:
    cost = np.sum(deviation**2, axis=1)
    return np.asarray(np.where(np.isfinite(cost), cost, np.inf), np.float64)


def _edge_px(footing: Footing) -> Float64s:
    """(4,) standard deviations of the edges left, top, right, bottom, where they are seen."""
    x0, y0, x1, y1 = footing.xyxy
    across, down = EDGE_SHARE * (x1 - x0) + EDGE_PX, EDGE_SHARE * (y1 - y0) + EDGE_PX
    return np.array([across, down, across, down])


def _footprint(state: Float64s, heading: float, sides: Float64s, jacobian: Float64s) -> Footprint:
    size = float(np.exp(state[2]))
    length_m, width_m = float(sides[0]) * size, float(sides[1]) * size
    along = np.array([math.sin(heading), math.cos(heading)]) * length_m / 2
    across = np.array([math.cos(heading), -math.sin(heading)]) * width_m / 2
    center = state[:2]
    corners = [center - along - across, center - along + across, center + along + across, center + along - across]
    variances, directions = np.linalg.eigh(np.linalg.pinv(jacobian.T @ jacobian)[:2, :2])
    return Footprint(
        corners_m=tuple((float(east), float(north)) for east, north in corners),
        center_m=(float(center[0]), float(center[1])),
        heading_rad=heading % math.pi,
        length_m=length_m,
        width_m=width_m,
        sway_m=_pair(directions[:, -1] * math.sqrt(max(float(variances[-1]), 0.0))),
    )


def _pair(vector: Float64s) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])
