"""A body made ready for the picture: its sprite behind what stands before it, its shadows and lights as outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.backdrop import Cover
from sim.drawing.order import stands_before
from sim.drawing.outline import ground_outline_px, ground_outlines_px
from sim.drawing.sprites import Sprite, cast_shadow, draw_body
from sim.street.body import Body
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Light

Float64s = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

_CONTACT_GROWTH_M = 0.05
_SHIFT = 4


# Soft things need no fine canvas: the ground's shadows are painted this many times coarser.
COARSE = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shadow:
    """A cast shadow on the coarse picture: mask (h, w) uint8, 0 or 255, at x0, y0."""

    x0: int
    y0: int
    mask: Image


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """One body where one camera sees it.

    sprite:        as it was drawn, nothing before it
    bgr, alpha:    (h, w, 3) and (h, w) uint8, less what trees and posts hide
    keeps:         (h, w, 3) uint8, how much of the picture behind it stays
    threshold:     alpha from which a pixel counts as the body's
    full_xyxy:     box of the sprite in the picture
    footprint_m:   (4, 2)
    contact_px:    (M, 2) outline of the dark place under it
    beams_px:      outlines of what its headlights reach
    shadow:        what it takes from the sun, None without sun
    """

    sprite: Sprite
    bgr: Image
    alpha: Image
    keeps: Image
    threshold: int
    full_xyxy: Box
    footprint_m: Float64s
    contact_px: Float64s
    beams_px: tuple[Float64s, ...]
    shadow: Shadow | None

    @property
    def part(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that it lies on."""
        height, width = self.alpha.shape
        return slice(self.sprite.y0, self.sprite.y0 + height), slice(self.sprite.x0, self.sprite.x0 + width)


def place(body: Body, camera: PinholeCamera, light: Light, covers: Sequence[Cover]) -> Placed | None:
    """The body as this camera sees it; None when it does not."""
    sprite = draw_body(body, camera, light)
    if sprite is None:
        return None
    threshold = int(np.clip(sprite.alpha.max() / 2, 1, 127))
    box = box_of(sprite.alpha, threshold, (sprite.x0, sprite.y0))
    if box is None:
        return None
    footprint = body.footprint_m()
    bgr, alpha = _behind(sprite, footprint, camera, covers)
    return Placed(
        sprite=sprite,
        bgr=bgr,
        alpha=alpha,
        keeps=np.asarray(cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2BGR), np.uint8),
        threshold=threshold,
        full_xyxy=box,
        footprint_m=footprint,
        contact_px=ground_outline_px(camera, _grown(footprint)),
        beams_px=ground_outlines_px(camera, sprite.beams),
        shadow=_shadow(ground_outlines_px(camera, cast_shadow(body, light)), camera.size_px),
    )


def box_of(alpha: Image, threshold: int, corner: tuple[int, int]) -> Box | None:
    """Box of the pixels whose alpha is at least the threshold, in the picture; None when there are none."""
    _, solid = cv2.threshold(alpha, threshold - 1, 255, cv2.THRESH_BINARY)
    x, y, width, height = cv2.boundingRect(solid)
    if width == 0:
        return None
    left, top = corner[0] + x, corner[1] + y
    return float(left), float(top), float(left + width), float(top + height)


def _behind(
    sprite: Sprite, footprint_m: Float64s, camera: PinholeCamera, covers: Sequence[Cover]
) -> tuple[Image, Image]:
    """Colour and alpha of a sprite, less what stands before it."""
    near = [cover for cover in covers if _touches(sprite, cover)]
    if not near:
        return sprite.bgr, sprite.alpha
    feet = np.stack([cover.foot_m for cover in near])
    hides = stands_before(feet, footprint_m[None], camera.position_m[:2])[:, 0]
    bgr, alpha = sprite.bgr.copy(), sprite.alpha.copy()
    for cover, is_before in zip(near, hides, strict=True):
        if is_before:
            _hide(bgr, alpha, (sprite.x0, sprite.y0), cover)
    return bgr, alpha


def _touches(sprite: Sprite, cover: Cover) -> bool:
    height, width = sprite.alpha.shape
    rows, columns = cover.cover.shape
    beside = sprite.x0 + width <= cover.x0 or cover.x0 + columns <= sprite.x0
    return not (beside or sprite.y0 + height <= cover.y0 or cover.y0 + rows <= sprite.y0)


def _hide(bgr: Image, alpha: Image, corner: tuple[int, int], cover: Cover) -> None:
    height, width = alpha.shape
    rows, columns = cover.cover.shape
    x0, x1 = max(corner[0], cover.x0), min(corner[0] + width, cover.x0 + columns)
    y0, y1 = max(corner[1], cover.y0), min(corner[1] + height, cover.y0 + rows)
    free = 255 - cover.cover[y0 - cover.y0 : y1 - cover.y0, x0 - cover.x0 : x1 - cover.x0]
    here = (slice(y0 - corner[1], y1 - corner[1]), slice(x0 - corner[0], x1 - corner[0]))
    alpha[here] = cv2.multiply(alpha[here], free, scale=1 / 255)
    bgr[here] = cv2.multiply(bgr[here], cv2.cvtColor(free, cv2.COLOR_GRAY2BGR), scale=1 / 255)


def _shadow(outlines_px: Sequence[Float64s], size_px: tuple[int, int]) -> Shadow | None:
    """One mask of overlapping convex outlines; None when nothing of it lies in the picture."""
    shapes = [outline / COARSE - 0.5 for outline in outlines_px if len(outline) >= 3]
    if not shapes:
        return None
    corners = np.concatenate(shapes)
    limits = (size_px[0] // COARSE, size_px[1] // COARSE)
    x0, y0 = (int(value) for value in np.clip(np.floor(corners.min(axis=0)), 0, limits))
    x1, y1 = (int(value) for value in np.clip(np.ceil(corners.max(axis=0)) + 1, 0, limits))
    if x0 >= x1 or y0 >= y1:
        return None
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for shape in shapes:
        fixed = np.round((shape - (x0, y0)) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(mask, fixed, (255,), cv2.LINE_8, _SHIFT)
    return Shadow(x0=x0, y0=y0, mask=mask)


def _grown(footprint_m: Float64s) -> Float64s:
    middle = footprint_m.mean(axis=0)
    out = footprint_m - middle
    return np.asarray(footprint_m + out / np.linalg.norm(out, axis=1, keepdims=True) * _CONTACT_GROWTH_M)
