"""What is painted on the carriageway: lines, bays, crossings, and the iron set into it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sim.drawing.spots import GroundSpots
from sim.drawing.stripes import band, mix, pulse
from sim.drawing.texture import Texture
from sim.street.street import Crossing, Rect, Street, ZoneKind

Floats = npt.NDArray[np.float32]

_WHITE_BGR = (0.80, 0.81, 0.82)
_YELLOW_BGR = (0.20, 0.62, 0.76)
_IRON_BGR = (0.45, 0.44, 0.43)
_RIM_BGR = (0.38, 0.38, 0.38)
_LINE_M = 0.14
# Dashes of a lane line inside towns: 2 m long, 4 m apart.
_DASH_PERIOD_M, _DASH_M = 6.0, 2.0
_BAR_PERIOD_M, _BAR_M = 1.05, 0.45
_STOP_LINE_GAP_M, _STOP_LINE_M = 1.5, 0.3
_MANHOLE_SPACING_M = 24.0


class _Brush:
    """Lays covers on the albedo of one set of ground spots, thinner where the paint is worn."""

    def __init__(self, albedo: Floats, spots: GroundSpots, texture: Texture) -> None:
        self.albedo = albedo
        self.x_m, self.y_m, self._across_m, self._along_m = spots.x_m, spots.y_m, spots.across_m, spots.along_m
        coarse = spots.coarse_m
        worn = 0.86 + 0.10 * texture.blobs(self.x_m, self.y_m, coarse, cell_m=0.6)
        self._worn = np.clip(worn + 0.10 * texture.grain(self.x_m, self.y_m, coarse, cell_m=0.02), 0.35, 0.97)

    def across(self, low: float, high: float) -> Floats:
        """Cover of a strip along the street."""
        return band(self.x_m, self._across_m, low, high)

    def along(self, low: float, high: float) -> Floats:
        """Cover of a strip over the street."""
        return band(self.y_m, self._along_m, low, high)

    def dashes(self) -> Floats:
        """Cover of a lane line's dashes."""
        return pulse(self.y_m, self._along_m, period=_DASH_PERIOD_M, low=0.0, high=_DASH_M)

    def bars(self) -> Floats:
        """Cover of a zebra's bars."""
        return pulse(self.x_m, self._across_m, period=_BAR_PERIOD_M, low=0.3, high=0.3 + _BAR_M)

    def paint(self, cover: Floats, colour: tuple[float, float, float]) -> None:
        """Lay a worn colour where `cover` says."""
        mix(self.albedo, np.asarray(cover * self._worn, np.float32), colour)

    def discs(self, first_m: tuple[float, float], radius_m: float) -> Floats:
        """Cover of a row of round lids along the street, soft by one footprint."""
        turns = np.floor((self.y_m - np.float32(first_m[1])) / _MANHOLE_SPACING_M + 0.5)
        aside = self.x_m - np.float32(first_m[0]) - 0.4 * np.sin(turns * 1.7)
        along = self.y_m - np.float32(first_m[1]) - turns * np.float32(_MANHOLE_SPACING_M)
        away = np.hypot(aside / (radius_m + self._across_m / 2), along / (radius_m + self._along_m / 2))
        # A lid smaller than its pixel fills a part of it.
        share = np.minimum(1, 2 * radius_m / self._along_m)
        return np.asarray(np.clip((1.05 - away) / 0.1, 0, 1) * share, np.float32)


def paint_markings(albedo: Floats, street: Street, spots: GroundSpots, texture: Texture) -> None:
    """Paint all of them on albedo (N, 3) in place."""
    # Lines end where houses and fields begin.
    left, right = street.carriageway_x_m
    on_road = np.flatnonzero((spots.x_m > left - 0.5) & (spots.x_m < right + 0.5))
    brush = _Brush(albedo[on_road], spots.only(on_road), texture)
    _manholes(brush, street)
    _lane_lines(brush, street)
    for zone in street.zones_of(ZoneKind.NO_PARKING):
        _kerb_line(brush, street, zone.area)
    for bay in street.bays:
        _bay(brush, bay.area)
    for crossing in street.crossings:
        _crossing(brush, street, crossing)
    albedo[on_road] = brush.albedo


def _lane_lines(brush: _Brush, street: Street) -> None:
    lanes = sorted(street.lanes, key=lambda lane: lane.x_m)
    free = _away_from_crossings(brush, street)
    for left, right in pairwise(lanes):
        middle = (left.x_m + left.width_m / 2 + right.x_m - right.width_m / 2) / 2
        if left.direction == right.direction:
            brush.paint(brush.across(middle - _LINE_M / 2, middle + _LINE_M / 2) * brush.dashes() * free, _WHITE_BGR)
        else:
            for side in (-0.15, 0.15):
                line = brush.across(middle + side - _LINE_M / 2, middle + side + _LINE_M / 2)
                brush.paint(line * free, _YELLOW_BGR)
    if lanes and street.kerb_strip_m > 0.5:
        for edge in (lanes[0].x_m - lanes[0].width_m / 2, lanes[-1].x_m + lanes[-1].width_m / 2):
            brush.paint(brush.across(edge - 0.06, edge + 0.06) * free, _WHITE_BGR)


def _away_from_crossings(brush: _Brush, street: Street) -> Floats:
    free = np.ones(len(brush.x_m), np.float32)
    for crossing in street.crossings:
        gap = _STOP_LINE_GAP_M + _STOP_LINE_M
        free -= brush.along(crossing.y0_m - gap, crossing.y1_m + gap)
    return np.asarray(np.clip(free, 0, 1), np.float32)


def _kerb_line(brush: _Brush, street: Street, area: Rect) -> None:
    """The yellow line along the kerb that is nearer to a no-parking zone."""
    left, right = street.carriageway_x_m
    is_right = (area.x0 + area.x1) / 2 > (left + right) / 2
    low, high = (right - 0.04, right + 0.13) if is_right else (left - 0.13, left + 0.04)
    brush.paint(brush.across(low, high) * brush.along(area.y0, area.y1), _YELLOW_BGR)


def _bay(brush: _Brush, area: Rect) -> None:
    cover = brush.across(area.x0, area.x1) * brush.along(area.y0, area.y1)
    inside = brush.across(area.x0 + 0.1, area.x1 - 0.1) * brush.along(area.y0 + 0.1, area.y1 - 0.1)
    brush.paint(cover - inside, _WHITE_BGR)


def _crossing(brush: _Brush, street: Street, crossing: Crossing) -> None:
    left, right = street.carriageway_x_m
    over = brush.across(left + 0.3, right - 0.3)
    brush.paint(over * brush.bars() * brush.along(crossing.y0_m, crossing.y1_m), _WHITE_BGR)
    for lane in street.lanes:
        low = crossing.y0_m - _STOP_LINE_GAP_M - _STOP_LINE_M
        if lane.direction < 0:
            low = crossing.y1_m + _STOP_LINE_GAP_M
        width = brush.across(lane.x_m - lane.width_m / 2 + 0.15, lane.x_m + lane.width_m / 2 - 0.15)
        brush.paint(width * brush.along(low, low + _STOP_LINE_M), _WHITE_BGR)


def _manholes(brush: _Brush, street: Street) -> None:
    for lane in street.lanes:
        # Lids lie near the middle of their lane, at a pitch that differs from lane to lane.
        first = street.y_m[0] + _MANHOLE_SPACING_M * (0.3 + abs(lane.x_m) % 1 * 0.5)
        mix(brush.albedo, brush.discs((lane.x_m, first), 0.40), _RIM_BGR)
        mix(brush.albedo, brush.discs((lane.x_m, first), 0.33), _IRON_BGR)
