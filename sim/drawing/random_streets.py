"""Random drawn streets for training: street, camera, weather and bodies by chance, with exact boxes.

An empty street is painted once for a few pictures of it, because that takes longer than the pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from sim.drawing.painter import DrawnFrame, Image, Shown, StreetPainter
from sim.drawing.placed import Box
from sim.drawing.random_bodies import STREET_LIFE, TRAFFIC, pick, random_bodies
from sim.street.body import VEHICLES
from sim.street.layout import BayPart, CrossingPart, StreetPart, ZonePart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.street import Side, Street, ZoneKind
from sim.street.weather import Weather

PICTURES_PER_STREET = 4
MAX_BODIES = 24
MAX_IN_TRAFFIC = 44
# Of less than this nobody could say from the picture what it is; a vehicle at the picture's edge is known by its nose.
MIN_VISIBLE_FRACTION = 0.35
MIN_VEHICLE_AT_EDGE = 0.12
MIN_SIDE_PX = 8.0

_SIZES_PX = ((640, 360), (1280, 720), (960, 540))
_EMPTY_SHARE = 0.1
TRAFFIC_SHARE = 0.25
_WEATHERS = MappingProxyType(
    {
        Weather.DAY: 0.44,
        Weather.OVERCAST: 0.19,
        Weather.DUSK: 0.09,
        Weather.RAIN: 0.08,
        Weather.NIGHT: 0.07,
        Weather.FOG: 0.04,
        Weather.INFRARED: 0.05,
        Weather.GLARE: 0.04,
    }
)
_LENGTH_M = 110.0
_CAMERA_FROM_END_M = (12.0, 25.0)
_CAMERA_BESIDE_KERB_M = (-0.5, 1.5)
_MAX_SHIFT_PX = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPicture:
    """A picture and what can be seen in it.

    image: (H, W, 3) uint8 BGR
    boxes: (class name, (x0, y0, x1, y1) of the visible pixels) of what shows enough of itself, far to near
    """

    image: Image
    boxes: tuple[tuple[str, Box], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    street: Street
    camera: PinholeCamera
    weather: Weather
    painter: StreetPainter
    is_traffic: bool


def draw_random_pictures(
    *, seed: int, count: int, traffic_share: float = TRAFFIC_SHARE, without_doubt: bool = False
) -> Iterator[LabelledPicture]:
    """`count` pictures, a few of each street; the first ones do not depend on how many follow.

    traffic_share: of the streets, 0..1, how many are seen by a traffic camera: high up, far sight, dense queues
    without_doubt: what shows too little of itself for a label is taken away, so that a detector that finds it after
                   all is not wrong: to measure with, not to learn from
    """
    view = None
    for index in range(count):
        number, picture = divmod(index, PICTURES_PER_STREET)
        if view is None or picture == 0:
            view = _random_view(np.random.default_rng((seed, number)), traffic_share)
        yield _draw(view, np.random.default_rng((seed, number, picture)), without_doubt=without_doubt)


def _random_view(rng: np.random.Generator, traffic_share: float) -> _View:
    street = build_street(random_street(rng), seed=int(rng.integers(1 << 30)))
    is_traffic = rng.random() < traffic_share
    camera = traffic_camera(rng, street) if is_traffic else random_camera(rng, street)
    painter = StreetPainter(street, camera, seed=int(rng.integers(1 << 30)))
    return _View(street=street, camera=camera, weather=pick(rng, _WEATHERS), painter=painter, is_traffic=is_traffic)


def _draw(view: _View, rng: np.random.Generator, *, without_doubt: bool) -> LabelledPicture:
    most = MAX_IN_TRAFFIC if view.is_traffic else MAX_BODIES
    count = 0 if rng.random() < _EMPTY_SHARE else int(rng.integers(most // 3 if view.is_traffic else 1, most + 1))
    crowd = TRAFFIC if view.is_traffic else STREET_LIFE
    is_shaken = rng.random() < 0.15
    shift_px = rng.uniform(-_MAX_SHIFT_PX, _MAX_SHIFT_PX, 2) if is_shaken else np.zeros(2)
    bodies = random_bodies(rng, view.street, view.camera, count=count, crowd=crowd)
    draw = partial(
        view.painter.draw,
        weather=view.weather,
        second=float(rng.uniform(0, 120)),
        shift_px=(float(shift_px[0]), float(shift_px[1])),
        grain=int(rng.integers(1 << 30)),
    )
    frame = draw(bodies)
    # Whatever is taken away uncovers what it hid, and cuts nothing: the loop ends.
    while without_doubt and (doubtful := _doubtful(frame)):
        bodies = tuple(body for body in bodies if body.id not in doubtful)
        frame = draw(bodies)
    return LabelledPicture(image=frame.image, boxes=_labels(frame))


def _labels(frame: DrawnFrame) -> tuple[tuple[str, Box], ...]:
    return tuple((item.body.class_name, item.xyxy) for item in frame.shown if _shows_enough(item, frame))


def _doubtful(frame: DrawnFrame) -> set[str]:
    return {item.body.id for item in frame.shown if not _shows_enough(item, frame)}


def _shows_enough(item: Shown, frame: DrawnFrame) -> bool:
    x0, y0, x1, y1 = item.xyxy
    height, width = frame.image.shape[:2]
    return min(x1 - x0, y1 - y0) >= MIN_SIDE_PX and item.visible_fraction >= _least_visible(item, (width, height))


def _least_visible(item: Shown, size_px: tuple[int, int]) -> float:
    x0, y0, x1, y1 = item.full_xyxy
    is_at_edge = x0 <= 0 or y0 <= 0 or x1 >= size_px[0] or y1 >= size_px[1]
    return MIN_VEHICLE_AT_EDGE if is_at_edge and item.body.kind in VEHICLES else MIN_VISIBLE_FRACTION


def random_street(rng: np.random.Generator) -> StreetPart:
    """A street of random widths, some with a recess for bins, bays, a crossing or a no-parking zone."""
    has_strip = rng.random() < 0.75
    right_m = float(rng.uniform(1.8, 4.5))
    zones = [zone for zone in (_recess(rng, right_m), _no_parking(rng)) if zone is not None]
    return StreetPart(
        y_m=(0.0, _LENGTH_M),
        lane_width_m=float(rng.uniform(2.8, 3.8)),
        kerb_strip_m=float(rng.uniform(2.2, 2.8) if has_strip else rng.uniform(0.4, 0.9)),
        sidewalk_right_m=right_m,
        sidewalk_left_m=float(rng.uniform(1.8, 4.5)),
        planting_m=float(rng.uniform(1.2, 3.5)),
        zones=tuple(zones),
        bays=_bays(rng) if has_strip else (),
        crossings=_crossings(rng),
    )


def _recess(rng: np.random.Generator, sidewalk_m: float) -> ZonePart | None:
    if rng.random() < 0.3:
        return None
    from_m, length_m = float(rng.uniform(20, _LENGTH_M - 30)), float(rng.uniform(2.5, 6))
    return ZonePart(
        id="recess",
        kind=ZoneKind.COLLECTION_POINT,
        x_m=(sidewalk_m, sidewalk_m + float(rng.uniform(1.2, 2.2))),
        y_m=(from_m, from_m + length_m),
    )


def _no_parking(rng: np.random.Generator) -> ZonePart | None:
    if rng.random() < 0.5:
        return None
    from_m = float(rng.uniform(5, _LENGTH_M / 2))
    to_m = from_m + float(rng.uniform(10, 40))
    return ZonePart(id="no-parking", kind=ZoneKind.NO_PARKING, side=_side(rng), y_m=(from_m, to_m))


def _bays(rng: np.random.Generator) -> tuple[BayPart, ...]:
    if rng.random() < 0.5:
        return ()
    return (BayPart(side=_side(rng), y_m=float(rng.uniform(5, 60)), count=int(rng.integers(2, 8))),)


def _crossings(rng: np.random.Generator) -> tuple[CrossingPart, ...]:
    if rng.random() < 0.65:
        return ()
    from_m, has_light = float(rng.uniform(20, _LENGTH_M - 25)), rng.random() < 0.6
    to_m = from_m + float(rng.uniform(3, 5))
    return (CrossingPart(y_m=(from_m, to_m), green_s=25 if has_light else None, red_s=20 if has_light else None),)


def _side(rng: np.random.Generator) -> Side:
    return Side.RIGHT if rng.random() < 0.5 else Side.LEFT


def random_camera(rng: np.random.Generator, street: Street) -> PinholeCamera:
    """A camera on a mast near either kerb, clear of the trees; it looks along the street or obliquely across it."""
    is_right, is_forward = rng.random() < 0.5, rng.random() < 0.5
    from_end_m = float(rng.uniform(*_CAMERA_FROM_END_M))
    is_across = rng.random() < 0.35
    inwards_deg = float(rng.uniform(15, 65) if is_across else rng.uniform(-8, 14))
    beside_kerb_m = float(rng.uniform(*_CAMERA_BESIDE_KERB_M))
    size_px = _SIZES_PX[int(rng.integers(len(_SIZES_PX)))]
    focal_px = size_px[0] * float(rng.uniform(0.6, 1.1))
    return PinholeCamera(
        size_px=size_px,
        focal_px=focal_px,
        height_m=float(rng.uniform(3, 8)),
        tilt_deg=float(rng.uniform(12, 38)),
        # Across the street is to the left of the view on the right side, and the other way round looking back.
        heading_deg=(0.0 if is_forward else 180.0) + (-inwards_deg if is_right == is_forward else inwards_deg),
        x_m=beside_kerb_m if is_right else street.carriageway_x_m[0] - beside_kerb_m,
        y_m=street.y_m[0] + from_end_m if is_forward else street.y_m[1] - from_end_m,
        k1=_random_barrel(rng, size_px, focal_px) if rng.random() < 0.3 else 0.0,
    )


def traffic_camera(rng: np.random.Generator, street: Street) -> PinholeCamera:
    """A camera high over the carriageway that looks down the street."""
    is_forward = rng.random() < 0.5
    size_px = _SIZES_PX[int(rng.integers(len(_SIZES_PX)))]
    return PinholeCamera(
        size_px=size_px,
        focal_px=size_px[0] * float(rng.uniform(0.7, 1.5)),
        height_m=float(rng.uniform(5, 11)),
        tilt_deg=float(rng.uniform(9, 24)),
        heading_deg=(0.0 if is_forward else 180.0) + float(rng.uniform(-12, 12)),
        x_m=float(rng.uniform(*street.carriageway_x_m)),
        y_m=street.y_m[0] + 4.0 if is_forward else street.y_m[1] - 4.0,
    )


def _random_barrel(rng: np.random.Generator, size_px: tuple[int, int], focal_px: float) -> float:
    """A first coefficient with which the corners of the picture still see something.

    The picture ends at (2/3) / sqrt(-3 k1) focal lengths from its middle, where the lens folds back.
    """
    corner = math.hypot(*size_px) / 2 / focal_px
    return -float(rng.uniform(0.25, 0.8)) * 4 / 27 / corner**2
