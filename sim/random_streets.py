"""Random drawn streets for training: cameras, layouts and things by chance, with exact boxes."""

from __future__ import annotations

import math

import numpy as np

from sim.pinhole import PinholeCamera
from sim.street_frames import Box, DrawnFrame, StreetLayout, StreetPainter, Thing, ThingKind

_SIZES_PX = ((640, 360), (1280, 720), (960, 540))
_MIN_SIDE_PX = 10
_MAX_HIDDEN = 0.6


def draw_random_street(rng: np.random.Generator) -> DrawnFrame:
    """One picture of a random street; every tenth is empty. Boxes that are mostly hidden are left out."""
    camera = _random_camera(rng)
    left = float(rng.uniform(-4.5, -1.5))
    layout = StreetLayout(
        sidewalk_x_m=(left, left + float(rng.uniform(2.0, 4.5))), wall_height_m=float(rng.uniform(0.8, 4.5))
    )
    count = 0 if rng.random() < 0.1 else int(rng.integers(1, 7))
    things = tuple(thing for _ in range(count) if (thing := _random_thing(rng, camera, layout)) is not None)
    painter = StreetPainter(camera, layout, seed=int(rng.integers(1 << 30)))
    frame = painter.draw(things, noise_seed=int(rng.integers(1 << 30)), light=float(rng.choice([1.0, 0.85, 0.65, 0.4])))
    return DrawnFrame(image=frame.image, boxes=_visible(frame.boxes))


def _random_camera(rng: np.random.Generator) -> PinholeCamera:
    size_px = _SIZES_PX[rng.integers(len(_SIZES_PX))]
    return PinholeCamera(
        size_px=size_px,
        focal_px=size_px[0] * float(rng.uniform(0.6, 1.1)),
        height_m=float(rng.uniform(2.8, 6.5)),
        tilt_deg=float(rng.uniform(12, 38)),
    )


def _random_thing(rng: np.random.Generator, camera: PinholeCamera, layout: StreetLayout) -> Thing | None:
    """A thing whose foot lies inside the picture, not above its upper fifth; None when no place was found."""
    kind = ThingKind(rng.choice([kind.value for kind in ThingKind]))
    width_m = float(rng.uniform(0.6, 2.4) if kind is ThingKind.GARBAGE else rng.uniform(0.5, 1.2))
    for _ in range(20):
        x_m = float(rng.uniform(layout.sidewalk_x_m[0] + width_m / 2, layout.sidewalk_x_m[1] + 3.0))
        y_m = float(math.exp(rng.uniform(math.log(3.0), math.log(22.0))))
        px, py = camera.project(np.array([[x_m, y_m, 0.0]]))[0]
        if (
            0.05 * camera.size_px[0] < px < 0.95 * camera.size_px[0]
            and 0.2 * camera.size_px[1] < py < camera.size_px[1]
        ):
            return Thing(kind=kind, x_m=x_m, y_m=y_m, width_m=width_m, seed=int(rng.integers(1 << 30)))
    return None


def _visible(boxes: tuple[tuple[str, Box], ...]) -> tuple[tuple[str, Box], ...]:
    """Boxes come far to near; one that nearer boxes cover, or that is tiny, is no fair label."""
    kept = []
    for index, (name, box) in enumerate(boxes):
        hidden = max((_covered(box, nearer) for _, nearer in boxes[index + 1 :]), default=0.0)
        if hidden <= _MAX_HIDDEN and min(box[2] - box[0], box[3] - box[1]) >= _MIN_SIDE_PX:
            kept.append((name, box))
    return tuple(kept)


def _covered(box: Box, by: Box) -> float:
    width = min(box[2], by[2]) - max(box[0], by[0])
    height = min(box[3], by[3]) - max(box[1], by[1])
    return max(0.0, width) * max(0.0, height) / ((box[2] - box[0]) * (box[3] - box[1]))
