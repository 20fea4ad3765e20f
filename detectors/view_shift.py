"""Whether a camera still looks where it looked when it was calibrated: a small shift, measured in pixels.

Compared is the direction of edges, not their brightness, and of that only the line, not which side is the brighter one:
by night, by infrared and in rain the kerb is drawn otherwise, but where it was. The picture is compared in tiles; a bus
or a clock in the picture moves a few of them, a camera that was knocked moves all alike. Fitch et al., Orientation
Correlation, BMVC 2002, with the doubled angle.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
C64 = npt.NDArray[np.complex64]

WIDTH_PX = 640
_TILE_PX = 128
_TILE_STEP_PX = 64
_FAINT = 4.0


class ShiftVerdict(StrEnum):
    """What a comparison says."""

    OK = "ok"
    SHIFTED = "shifted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftSettings:
    """Limits for pictures 640 pixels wide.

    shifted_px:  median shift over the picture from which the calibration no longer holds
    min_peak:    how far the best shift of a tile stands out over chance, in standard deviations of all other shifts
    min_tiles, min_share: tiles that must agree: so many, and so large a share of those that show anything
    agree_px:    how far a tile may lie from where the others put it
    """

    shifted_px: float = 5.0
    min_peak: float = 7.0
    min_tiles: int = 6
    min_share: float = 0.4
    agree_px: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewShift:
    """How a picture lies against its reference.

    shift_px: median distance by which the view has moved, pixels of a picture 640 wide; None when unknown
    turn_deg: by how much it has turned around the view, None when unknown
    tiles:    parts of the picture that agree, and how many could be compared
    """

    verdict: ShiftVerdict
    shift_px: float | None
    turn_deg: float | None
    tiles: tuple[int, int]


def shrunk(picture: Grey) -> Grey:
    """A picture (H, W) or (H, W, 3) BGR, grey and 640 pixels wide."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    height, width = grey.shape
    if width == WIDTH_PX:
        return np.asarray(grey, np.uint8)
    size_px = (WIDTH_PX, max(1, round(height * WIDTH_PX / width)))
    return np.asarray(cv2.resize(grey, size_px, interpolation=cv2.INTER_AREA), np.uint8)


def view_shift(reference: Grey, present: Grey, settings: ShiftSettings | None = None) -> ViewShift:
    """How the present picture (H, W), made by `shrunk`, lies against the reference; unknown rather than a guess."""
    limits = settings or ShiftSettings()
    if reference.shape != present.shape:
        return ViewShift(verdict=ShiftVerdict.UNKNOWN, shift_px=None, turn_deg=None, tiles=(0, 0))
    first, second = _edge_lines(reference), _edge_lines(present)
    coarse, _ = _peak(first, second)
    whole = np.rint(coarse).astype(int)
    spots, moves = _tile_moves(first, second, whole, limits)
    return _judged(spots, moves, present.shape, limits)


def _judged(spots: F64, moves: F64, shape: tuple[int, ...], limits: ShiftSettings) -> ViewShift:
    unknown = ViewShift(verdict=ShiftVerdict.UNKNOWN, shift_px=None, turn_deg=None, tiles=(0, len(spots)))
    if len(spots) < limits.min_tiles:
        return unknown
    way, agree = cv2.estimateAffinePartial2D(spots, spots + moves, ransacReprojThreshold=limits.agree_px)
    if not np.any(agree):
        return unknown
    count = int(agree.sum())
    scale = float(np.hypot(way[0, 0], way[1, 0]))
    if count < max(limits.min_tiles, limits.min_share * len(spots)) or not 0.9 < scale < 1.1:
        return unknown
    grid = np.stack(np.meshgrid(np.linspace(0, shape[1], 9), np.linspace(0, shape[0], 9)), axis=-1).reshape(-1, 2)
    moved = grid @ way[:, :2].T + way[:, 2] - grid
    shift_px = float(np.median(np.linalg.norm(moved, axis=1)))
    return ViewShift(
        verdict=ShiftVerdict.SHIFTED if shift_px >= limits.shifted_px else ShiftVerdict.OK,
        shift_px=shift_px,
        turn_deg=float(np.degrees(np.arctan2(way[1, 0], way[0, 0]))),
        tiles=(count, len(spots)),
    )


def _edge_lines(grey: Grey) -> C64:
    """(H, W) complex: the direction of every edge at twice its angle, as long as it is clear, at most 1."""
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.5)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    squared = (across + 1j * down) ** 2
    strength = np.abs(squared)
    # Noise has a direction too: what is fainter than it counts less.
    return np.asarray(squared / (strength + max(_FAINT, 4 * float(np.median(strength)))), np.complex64)


def _tile_moves(first: C64, second: C64, whole: npt.NDArray[np.int_], limits: ShiftSettings) -> tuple[F64, F64]:
    """Middles (N, 2) and moves (N, 2) of the tiles that can be told, pixels [x, y]; `whole` is the move of all."""
    height, width = first.shape
    spots, moves = [], []
    for y in range(0, height - _TILE_PX + 1, _TILE_STEP_PX):
        for x in range(0, width - _TILE_PX + 1, _TILE_STEP_PX):
            x_now, y_now = x + whole[0], y + whole[1]
            if not (0 <= x_now <= width - _TILE_PX and 0 <= y_now <= height - _TILE_PX):
                continue
            move, peak = _peak(
                first[y : y + _TILE_PX, x : x + _TILE_PX], second[y_now : y_now + _TILE_PX, x_now : x_now + _TILE_PX]
            )
            if peak >= limits.min_peak:
                spots.append((x + _TILE_PX / 2, y + _TILE_PX / 2))
                moves.append(move + whole)
    return np.array(spots, np.float64).reshape(-1, 2), np.array(moves, np.float64).reshape(-1, 2)


def _peak(first: C64, second: C64) -> tuple[F64, float]:
    """The move [x, y] by which the second looks most like the first, and how far that stands out, in deviations."""
    window = np.outer(np.hanning(first.shape[0]), np.hanning(first.shape[1])).astype(np.float32)
    spectrum = np.conj(np.fft.fft2(first * window)) * np.fft.fft2(second * window)
    surface = np.real(np.fft.ifft2(spectrum))
    deviation = float(surface.std())
    row, column = np.unravel_index(int(np.argmax(surface)), surface.shape)
    if deviation <= 0:
        return np.zeros(2), 0.0
    move = [_vertex(surface[row], int(column)), _vertex(surface[:, column], int(row))]
    return np.array(move), float((surface[row, column] - surface.mean()) / deviation)


def _vertex(line: F64, at: int) -> float:
    """Where the parabola through the highest value and its neighbours is highest, as a signed shift."""
    before, here, after = (float(line[(at + step) % len(line)]) for step in (-1, 0, 1))
    bend = before - 2 * here + after
    exact = at + (0.5 * (before - after) / bend if bend < 0 else 0.0)
    return exact - len(line) if exact > len(line) / 2 else exact
