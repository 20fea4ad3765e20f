"""Pictures of one street by one camera, with the truth about every body in them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.air import Air, soften
from sim.drawing.backdrop import Backdrop, paint_backdrop
from sim.drawing.glow import Glows, signal_glows
from sim.drawing.onground import lighten, mirror_bodies, shade
from sim.drawing.order import paint_order
from sim.drawing.placed import Box, Placed, box_of, place
from sim.street.body import Body
from sim.street.pinhole import PinholeCamera
from sim.street.street import Street
from sim.street.weather import LIGHTS, Weather

Image = npt.NDArray[np.uint8]

_PLACED_KEPT = 256
_SpriteKey = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One body as the picture shows it; boxes (x0, y0, x1, y1) in pixels.

    xyxy:             of its visible pixels, after nearer things have hidden some
    full_xyxy:        of its whole silhouette inside the picture, as if nothing stood before it
    visible_fraction: visible pixels / whole silhouette, which may reach beyond the picture
    """

    body: Body
    xyxy: Box
    full_xyxy: Box
    visible_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnFrame:
    """A picture and the truth about it.

    image: (H, W, 3) uint8 BGR
    shown: bodies with at least one visible pixel, far to near
    """

    image: Image
    shown: tuple[Shown, ...]


class StreetPainter:
    """Draws one street as one camera sees it; the empty street and standing bodies are painted once and kept.

    What was drawn before never changes a picture. Not for two threads at a time.
    """

    def __init__(self, street: Street, camera: PinholeCamera, *, seed: int) -> None:
        self._street = street
        self._camera = camera
        self._seed = seed
        self._backdrops: dict[Weather, tuple[Backdrop, Air, Glows]] = {}
        self._placed: OrderedDict[_SpriteKey, Placed | None] = OrderedDict()

    def draw(
        self,
        bodies: Sequence[Body],
        *,
        weather: Weather,
        second: float = 0.0,
        shift_px: tuple[float, float] = (0.0, 0.0),
        grain: int = 0,
    ) -> DrawnFrame:
        """The street with these bodies on it.

        second:   of the scenario: what the signals show
        shift_px: by how much vibration moves the picture, and the boxes with it
        grain:    chance of the sensor's noise and the rain
        """
        light = LIGHTS[weather]
        backdrop, air, glows = self._backdrop(weather)
        placed = [(body, self._place(body, weather, backdrop)) for body in bodies]
        seen = _far_to_near([(body, item) for body, item in placed if item is not None], self._camera)
        items = [item for _, item in seen]
        picture = backdrop.image.copy()
        shade(picture, items, backdrop)
        if backdrop.in_beam is not None:
            lighten(picture, items, backdrop.in_beam)
        glows.add_signals(picture, signal_glows(self._street, self._camera, second))
        if light.wetness > 0:
            mirror_bodies(picture, items, backdrop.ground, light.wetness)
        for item in items:
            _lay(picture, item)
        alphas = _uncovered(items, backdrop.image.shape[:2])
        glows.add_lamps(picture, items, alphas)
        picture = soften(picture)
        shown = _shown(seen, alphas)
        if any(shift_px):
            picture = _shifted(picture, shift_px)
            shown = tuple(_moved(item, shift_px, self._camera.size_px) for item in shown)
        shown = tuple(item for item in shown if item.xyxy[0] < item.xyxy[2] and item.xyxy[1] < item.xyxy[3])
        return DrawnFrame(image=air.cover(picture, second=second, grain=grain), shown=shown)

    def _backdrop(self, weather: Weather) -> tuple[Backdrop, Air, Glows]:
        if weather not in self._backdrops:
            light = LIGHTS[weather]
            self._backdrops[weather] = (
                paint_backdrop(self._street, self._camera, light, seed=self._seed),
                Air(self._camera.size_px, light, seed=self._seed),
                Glows(light),
            )
        return self._backdrops[weather]

    def _place(self, body: Body, weather: Weather, backdrop: Backdrop) -> Placed | None:
        key = _sprite_key(body, weather)
        if key in self._placed:
            self._placed.move_to_end(key)
            return self._placed[key]
        placed = place(body, self._camera, LIGHTS[weather], backdrop.covers)
        self._placed[key] = placed
        if len(self._placed) > _PLACED_KEPT:
            self._placed.popitem(last=False)
        return placed


def _sprite_key(body: Body, weather: Weather) -> _SpriteKey:
    """Everything that a body's sprite depends on: all but its id."""
    return (
        body.kind,
        body.x_m,
        body.y_m,
        body.heading_deg,
        body.length_m,
        body.width_m,
        body.height_m,
        body.speed_mps,
        body.is_running,
        body.is_braking,
        body.has_rider,
        body.fill,
        body.look,
        weather,
    )


def _far_to_near(seen: list[tuple[Body, Placed]], camera: PinholeCamera) -> list[tuple[Body, Placed]]:
    if not seen:
        return []
    footprints = np.stack([item.footprint_m for _, item in seen])
    distance = np.linalg.norm(footprints.mean(axis=1) - camera.position_m[:2], axis=1)
    boxes = np.array([_bounds(item) for _, item in seen])
    apart = np.asarray((boxes[:, None, 2:] <= boxes[None, :, :2]).any(axis=2))
    overlap = np.asarray(~(apart | apart.T), np.bool_)
    order = paint_order(footprints, distance, overlap, camera.position_m[:2])
    return [seen[index] for index in order]


def _bounds(item: Placed) -> Box:
    rows, columns = item.part
    return float(columns.start), float(rows.start), float(columns.stop), float(rows.stop)


def _lay(picture: Image, item: Placed) -> None:
    under = picture[item.part]
    cv2.multiply(under, item.keeps, dst=under, scale=1 / 255)
    cv2.add(under, item.bgr, dst=under)


def _uncovered(items: list[Placed], shape: tuple[int, ...]) -> list[Image]:
    """Per item, far to near: its alpha less what the nearer ones hide."""
    free = np.full(shape, 255, np.uint8)
    alphas: list[Image] = []
    for item in reversed(items):
        open_part = free[item.part]
        alphas.append(np.asarray(cv2.multiply(item.alpha, open_part, scale=1 / 255), np.uint8))
        cv2.multiply(open_part, 255 - item.alpha, dst=open_part, scale=1 / 255)
    return alphas[::-1]


def _shown(seen: list[tuple[Body, Placed]], alphas: list[Image]) -> tuple[Shown, ...]:
    shown: list[Shown] = []
    for (body, item), alpha in zip(seen, alphas, strict=True):
        box = box_of(alpha, item.threshold, (item.sprite.x0, item.sprite.y0))
        if box is not None:
            visible = float(cv2.sumElems(alpha)[0]) / 255 / max(item.sprite.area_px, 1e-6)
            shown.append(Shown(body=body, xyxy=box, full_xyxy=item.full_xyxy, visible_fraction=min(1.0, visible)))
    return tuple(shown)


def _shifted(picture: Image, shift_px: tuple[float, float]) -> Image:
    move = np.array([(1, 0, shift_px[0]), (0, 1, shift_px[1])], np.float64)
    size = (picture.shape[1], picture.shape[0])
    moved = cv2.warpAffine(picture, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _moved(item: Shown, shift_px: tuple[float, float], size_px: tuple[int, int]) -> Shown:
    def moved(box: Box) -> Box:
        corners = np.array(box) + (*shift_px, *shift_px)
        x0, y0, x1, y1 = np.clip(corners, 0, (*size_px, *size_px))
        return float(x0), float(y0), float(x1), float(y1)

    return Shown(
        body=item.body,
        xyxy=moved(item.xyxy),
        full_xyxy=moved(item.full_xyxy),
        visible_fraction=item.visible_fraction,
    )
