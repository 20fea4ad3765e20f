"""One frame on the ground: every detection with what is known of where it stands, and what hides what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.classes import Role
from detectors.messages import FrameDetections
from geofence.boxes import EDGES, Box, iou
from geofence.site import Camera, Site

Float64s = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# One bag more is no other heap.
GROWING = frozenset({Role.GARBAGE, Role.OVERFLOW, Role.BIN})
EDGE_PX = 1.0
# Boxes of one group that overlap like this show one thing.
SAME_BOX_IOU = 0.6
# What detectors' lower edges tremble by, as a share of the box's height.
FOOT_TREMBLE = 0.04
# A nearer box ends this much lower in the picture, pixels or share of the height,
# and covers at least this share of an edge that it hides.
NEARER_PX = 2.0
NEARER_SHARE = 0.1
COVERED_SHARE = 0.3
# What stands before the lower edge leaves some of it to see, unless it is nearly as wide: a vendor before the stall.
FOOT_COVERED_SHARE = 0.6
# A side shows above what covers its lower half.
SIDE_COVERED_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One detection that stands on visible ground.

    group:  of classes that are readings of the same thing
    xyxy:   pixels of the camera's calibrated size
    foot_m: [east, north] of the middle of its lower edge; tremble_m: how far that trembles with the box
    cut_edges: of ``LTRB``, those where the picture ends; plate_sha256: of its number plate, where that was read
    can_be_followed: another one may take its place and be another matter; a heap that grows is the same heap
    appearance: see `detectors.appearance`, as text; None for what looks otherwise as it grows, and where unknown
    """

    group: str
    name: str
    confidence: float
    xyxy: Box
    foot_m: tuple[float, float]
    tremble_m: float = 0.0
    cut_edges: str = ""
    can_be_followed: bool = True
    plate_sha256: str | None = None
    appearance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """Everything that one frame shows, whether it can break a rule or not.

    xyxy:   (N, 4) float64 boxes
    foot_m: (N, 2) float64 middles of the contact edges on the ground, NaN where the foot is not seen
    is_person: (N,) what never is the thing that stands there, however near it is
    """

    xyxy: Float64s
    foot_m: Float64s
    is_person: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What a rule may see of one frame: things, each once, the most confident first; and all boxes."""

    things: tuple[Thing, ...]
    surroundings: Surroundings


def observe(site: Site, camera: Camera, detections: FrameDetections) -> Scene:
    """One frame on the ground; detections that show the same thing are one.

    Left out are things whose foot the picture cuts off or that stand above the horizon.
    """
    boxes = detections.xyxy.astype(np.float64) * _scale(camera.size_px, detections.size_px)
    classes = [site.classes.by_id[int(key)] for key in detections.class_id]
    feet_px = np.column_stack(((boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3])).reshape(-1, 2)
    foot_m = camera.homography.pixel_to_ground(feet_px)
    is_cut = cut_edges(boxes, camera.size_px)
    foot_m[is_cut[:, 3]] = np.nan
    tremble_px = FOOT_TREMBLE * (boxes[:, 3] - boxes[:, 1])
    above_m = camera.homography.pixel_to_ground(feet_px - np.column_stack((np.zeros(len(boxes)), tremble_px)))
    tremble_m = np.nan_to_num(np.linalg.norm(above_m - foot_m, axis=1), nan=np.inf)
    is_person = np.array([row.role == Role.PERSON for row in classes], np.bool_)
    things: list[Thing] = []
    # A bin that is seen spilling as well is spilling: that says more than that it is a bin.
    weights = [2.0 if row.role == Role.OVERFLOW else 1.0 for row in classes]
    for row in np.argsort(-detections.confidence * np.array(weights), kind="stable").tolist():
        if not np.isfinite(foot_m[row]).all():
            continue
        thing = Thing(
            group=classes[row].box_group,
            name=classes[row].name,
            confidence=float(detections.confidence[row]),
            xyxy=as_box(boxes[row]),
            foot_m=(float(foot_m[row, 0]), float(foot_m[row, 1])),
            tremble_m=float(tremble_m[row]),
            cut_edges=edge_letters(is_cut[row]),
            can_be_followed=classes[row].role not in GROWING,
            plate_sha256=detections.plate_of(row),
            appearance=None if classes[row].role in GROWING else detections.appearance_of(row),
        )
        if not _is_shown_by(thing, things):
            things.append(thing)
    return Scene(things=tuple(things), surroundings=Surroundings(xyxy=boxes, foot_m=foot_m, is_person=is_person))


def cut_edges(boxes: Float64s, size_px: tuple[int, int]) -> Bools:
    """(N, 4) which edges of the boxes lie on an edge of the picture: left, top, right, bottom."""
    width, height = size_px
    low, high = boxes[:, :2] <= EDGE_PX, boxes[:, 2:] >= np.array([width, height]) - EDGE_PX
    return np.column_stack((low, high)).astype(np.bool_)


def hidden_edges(boxes: Float64s, others: Float64s) -> Bools:
    """(N, 4) which edges (left, top, right, bottom) of (N, 4) boxes one of the nearer (M, 4) others covers.

    A box does not hide itself, nor does one that shows the same thing: it would have to end lower in the picture.
    """
    x0, y0, x1, y1 = (boxes[:, column][:, None] for column in range(4))
    o_x0, o_y0, o_x1, o_y1 = (others[:, column][None, :] for column in range(4))
    common_x = np.minimum(x1, o_x1) - np.maximum(x0, o_x0)
    common_y = np.minimum(y1, o_y1) - np.maximum(y0, o_y0)
    margin = np.maximum(NEARER_PX, NEARER_SHARE * (y1 - y0))
    is_nearer = (o_y1 > y1 + margin) & (common_x > 0) & (common_y > 0)
    is_side = is_nearer & (common_y >= SIDE_COVERED_SHARE * (y1 - y0))
    left = is_side & (o_x0 < x0 + 1)
    right = is_side & (o_x1 > x1 - 1)
    is_wide = is_nearer & (common_x >= COVERED_SHARE * (x1 - x0))
    top = is_wide & (o_y0 < y0 + 1)
    # Several that stand side by side hide a foot together.
    foot = _covered(boxes, others, is_nearer) >= FOOT_COVERED_SHARE * (boxes[:, 2] - boxes[:, 0])
    return np.column_stack([*(edge.any(axis=1) for edge in (left, top, right)), foot]).reshape(-1, 4)


def _covered(boxes: Float64s, others: Float64s, is_before: Bools) -> Float64s:
    """(N,) how much of the width of (N, 4) boxes those (M, 4) others cover together that are (N, M) before them."""
    covered = np.zeros(len(boxes))
    for row in np.flatnonzero(is_before.any(axis=1)).tolist():
        x0, x1 = boxes[row, 0], boxes[row, 2]
        spans = np.clip(others[is_before[row]][:, [0, 2]], x0, x1)
        starts, ends = spans[np.argsort(spans[:, 0])].T
        # What begins before all earlier ones have ended counts from there.
        reached = np.concatenate(([x0], np.maximum.accumulate(ends)[:-1]))
        covered[row] = np.clip(ends - np.maximum(starts, reached), 0, None).sum()
    return covered


def edge_letters(edges: Bools) -> str:
    """(4,) flags as letters of ``LTRB``."""
    return "".join(letter for letter, is_set in zip(EDGES, edges, strict=True) if is_set)


def as_box(row: Float64s) -> Box:
    """A row of four numbers as a plain tuple."""
    x0, y0, x1, y1 = (float(value) for value in row)
    return x0, y0, x1, y1


def _is_shown_by(thing: Thing, others: list[Thing]) -> bool:
    """Whether one of `others` has nearly the same box."""
    return any(other.group == thing.group and iou(thing.xyxy, other.xyxy) >= SAME_BOX_IOU for other in others)


def _scale(calibrated_px: tuple[int, int], frame_px: tuple[int, int]) -> Float64s:
    """(4,) factors from pixels of the frame to pixels of the picture that was calibrated."""
    across, down = calibrated_px[0] / frame_px[0], calibrated_px[1] / frame_px[1]
    return np.array([across, down, across, down])
