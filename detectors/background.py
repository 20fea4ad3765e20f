"""What stands on a street and was not there when its clean picture was taken, whatever it is.

Compared is the structure of a picture around each of many places, by normalised correlation: light that changes, lamps
and infrared scale a place's pixels and leave its correlation, an object puts another structure there. What detectors
have named already is left out, and what does not stay is forgotten.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WIDTH_PX = 320
BLOCK_PX = 8
# Around a block, so much is compared; pixels of WIDTH_PX.
_WINDOW_PX = 15
_TIMES_TENTHS = 10
# A line of a box belongs to the thing when so much of it is off the clean street by so many times the noise.
_LINE_SHARE, _OFF_NOISE = 0.2, 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundSettings:
    """Limits.

    other_below:  correlation under which a place shows something else; same_above: over which it is the clean street
    noise:        grey levels that a camera's noise and compression make: structure fainter than that is none
    confirm_s:    how long something must have stood; max_gap_s: time between two looks that counts at most
    clear_looks:  looks at the clean street after which it is gone
    min_blocks, max_share: an object's size, blocks of 8 pixels and share of the picture
    changed_share: of the places not covered; over it the whole view is another, and the look tells nothing
    margin_share: detectors' boxes are widened by this, for shadows and what sticks out
    """

    other_below: float = 0.45
    same_above: float = 0.75
    noise: float = 6.0
    confirm_s: float = 30.0
    max_gap_s: float = 10.0
    clear_looks: int = 2
    min_blocks: int = 4
    max_share: float = 0.25
    changed_share: float = 0.4
    margin_share: float = 0.15
    learning: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Background:
    """A camera's clean street and what stands before it.

    clean: (h, w) float32 grey, WIDTH_PX wide
    stood_s: (rows, columns) seconds for which each block has shown something else
    cleared: (rows, columns) looks since, that showed it clean
    last_s: event time of the last look, None before the first
    found: (N, 4) boxes of the last look that told something, pixels of `clean`
    """

    clean: F32
    stood_s: F32
    cleared: npt.NDArray[np.int32]
    last_s: float | None
    found: Float64s

    def to_json(self) -> str:
        """All of it, the picture to a whole grey level."""
        picture = cv2.imencode(".png", np.round(self.clean).astype(np.uint8))[1].tobytes()
        tenths = np.round(self.stood_s * _TIMES_TENTHS).astype(int).tolist()
        return json.dumps(
            {
                "clean": base64.b64encode(picture).decode("ascii"),
                "stood_tenths": tenths,
                "last_s": self.last_s,
                "found": self.found.tolist(),
            }
        )

    @staticmethod
    def from_json(text: str) -> Background:
        """What `to_json` wrote."""
        known = json.loads(text)
        coded = np.frombuffer(base64.b64decode(known["clean"]), np.uint8)
        stood_s = (np.array(known["stood_tenths"]) / _TIMES_TENTHS).astype(np.float32)
        return Background(
            clean=np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32),
            stood_s=stood_s,
            cleared=np.zeros(stood_s.shape, np.int32),
            last_s=known["last_s"],
            found=np.array(known["found"], np.float64).reshape(-1, 4),
        )


def clean_street(picture: Grey) -> Background:
    """The background that a picture (H, W) of the clean street gives."""
    height = max(BLOCK_PX, round(picture.shape[0] * WIDTH_PX / picture.shape[1]))
    clean = cv2.resize(picture, (WIDTH_PX, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    blocks = (height // BLOCK_PX, WIDTH_PX // BLOCK_PX)
    return Background(
        clean=clean,
        stood_s=np.zeros(blocks, np.float32),
        cleared=np.zeros(blocks, np.int32),
        last_s=None,
        found=np.empty((0, 4)),
    )


def advance_background(
    state: Background, picture: Grey, boxes: Float64s, seen_s: float, settings: BackgroundSettings
) -> tuple[Background, Float64s]:
    """The state after one more picture (H, W), and (N, 4) boxes of what stands there unnamed, pixels of the picture.

    boxes: (M, 4) what the detectors have found, pixels of the picture; seen_s: event time. A late look changes nothing;
    one that shows another view altogether keeps what was found.
    """
    scale = np.tile(np.array(picture.shape[::-1]) / np.array(state.clean.shape[::-1]), 2)
    if state.last_s is not None and seen_s <= state.last_s:
        return state, state.found * scale
    height, width = state.clean.shape
    grey = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    likeness = _likeness(state.clean, grey, settings.noise)
    at_blocks = _at_blocks(likeness, state.stood_s.shape)
    covered = _covered(boxes / scale, state.stood_s.shape, settings.margin_share)
    is_other = (at_blocks < settings.other_below) & ~covered
    if covered.all() or is_other.sum() > settings.changed_share * (~covered).sum():
        return replace(state, last_s=seen_s), state.found * scale
    elapsed_s = 0.0 if state.last_s is None else min(seen_s - state.last_s, settings.max_gap_s)
    is_clean = ~is_other & ~covered
    cleared = np.where(is_clean, state.cleared + 1, 0).astype(np.int32)
    stood_s = np.where(is_other, np.minimum(state.stood_s + elapsed_s, settings.confirm_s), state.stood_s)
    stood_s = np.where(cleared >= settings.clear_looks, 0, stood_s).astype(np.float32)
    found = _objects(stood_s >= settings.confirm_s, is_other, settings)
    found = _tightened(found, grey - state.clean, settings.noise)
    after = Background(
        clean=_learned(state.clean, grey, likeness, settings),
        stood_s=stood_s,
        cleared=cleared,
        last_s=seen_s,
        found=found,
    )
    return after, found * scale


def _likeness(first: F32, second: F32, noise: float) -> F32:
    """(h, w) normalised correlation around every pixel; two plain places are alike."""
    window = (_WINDOW_PX, _WINDOW_PX)
    mean_1, mean_2 = cv2.blur(first, window), cv2.blur(second, window)
    var_1 = np.maximum(cv2.blur(first * first, window) - mean_1 * mean_1, 0)
    var_2 = np.maximum(cv2.blur(second * second, window) - mean_2 * mean_2, 0)
    common = cv2.blur(first * second, window) - mean_1 * mean_2
    faint = noise * noise
    return np.asarray((common + faint) / np.sqrt((var_1 + faint) * (var_2 + faint)), np.float32)


def _at_blocks(likeness: F32, shape: tuple[int, ...]) -> F32:
    """(rows, columns) likeness in the middle of each block."""
    rows, columns = (np.arange(count) * BLOCK_PX + BLOCK_PX // 2 for count in shape)
    return likeness[rows[:, None], columns[None]]


def _covered(boxes: Float64s, shape: tuple[int, ...], margin_share: float) -> Bools:
    """(rows, columns) blocks that a widened box touches."""
    covered = np.zeros(shape, np.bool_)
    for x0, y0, x1, y1 in boxes:
        margin = BLOCK_PX / 2 + margin_share * max(x1 - x0, y1 - y0)
        rows = slice(max(0, int((y0 - margin) // BLOCK_PX)), max(0, int((y1 + margin) // BLOCK_PX) + 1))
        columns = slice(max(0, int((x0 - margin) // BLOCK_PX)), max(0, int((x1 + margin) // BLOCK_PX) + 1))
        covered[rows, columns] = True
    return covered


def _objects(stands: Bools, is_other: Bools, settings: BackgroundSettings) -> Float64s:
    """(N, 4) boxes around blocks that hang together, most of which this look shows as well."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(stands.astype(np.uint8), connectivity=8)
    found = []
    for label in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[label])
        is_sized = area >= settings.min_blocks and area <= settings.max_share * stands.size
        if is_sized and is_other[labels == label].mean() >= 0.5:
            found.append([left, top, left + width, top + height])
    return np.array(found, np.float64).reshape(-1, 4) * BLOCK_PX


def _tightened(boxes: Float64s, change: F32, noise: float) -> Float64s:
    """Boxes without their rims that look as before: windows around a thing's border see it too.

    change: (h, w) grey levels brighter than the clean street
    """
    tight = boxes.copy()
    for box in tight:
        x0, y0, x1, y1 = (int(side) for side in box)
        # What is usual around the thing is the light, which has changed for the whole place.
        rim = change[max(0, y0 - BLOCK_PX) : y1 + BLOCK_PX, max(0, x0 - BLOCK_PX) : x1 + BLOCK_PX]
        inside = np.abs(change[y0:y1, x0:x1] - _rim_median(rim)) > _OFF_NOISE * noise
        rows = np.flatnonzero(inside.mean(axis=1) >= _LINE_SHARE)
        columns = np.flatnonzero(inside.mean(axis=0) >= _LINE_SHARE)
        if len(rows) >= len(inside) / 4 and len(columns) >= inside.shape[1] / 4:
            box[:] = x0 + columns[0], y0 + rows[0], x0 + columns[-1] + 1, y0 + rows[-1] + 1
    return tight


def _rim_median(rim: F32) -> float:
    edge = BLOCK_PX // 2
    return float(
        np.median(
            np.concatenate((rim[:edge].ravel(), rim[-edge:].ravel(), rim[:, :edge].ravel(), rim[:, -edge:].ravel()))
        )
    )


def _learned(clean: F32, grey: F32, likeness: F32, settings: BackgroundSettings) -> F32:
    """The clean street, a little more as it looks now where it is seen."""
    share = np.where(likeness > settings.same_above, settings.learning, 0).astype(np.float32)
    return np.asarray(clean + share * (grey - clean), np.float32)
