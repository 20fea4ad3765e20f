"""What bodies do to the ground around them: shadows, headlight, mirror images on wet asphalt."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.backdrop import Backdrop
from sim.drawing.outline import fill
from sim.drawing.placed import COARSE, Placed

Image = npt.NDArray[np.uint8]

_SUN_BLUR_PX, _CONTACT_BLUR_PX, _BEAM_BLUR_PX = 0.7, 1.3, 3.0
# How much light is missing right under a body.
_CONTACT = 150
_MIRROR_SHARE = 0.42


def shade(picture: Image, items: Sequence[Placed], backdrop: Backdrop) -> None:
    """Darken the ground in place: sun shadows where the sun shone, and a soft dark place under every body."""
    if not items:
        return
    height, width = picture.shape[:2]
    size = (width // COARSE, height // COARSE)
    contact = np.zeros(size[::-1], np.uint8)
    for item in items:
        fill(contact, item.contact_px, (_CONTACT,), scale=1 / COARSE)
    contact = cv2.GaussianBlur(contact, (0, 0), _CONTACT_BLUR_PX)
    dark = cv2.multiply(cv2.resize(contact, (width, height)), backdrop.ground, scale=1 / 255)
    left = cv2.cvtColor(255 - dark, cv2.COLOR_GRAY2BGR)
    cv2.multiply(picture, left, dst=picture, scale=1 / 255)
    if backdrop.sunlit is not None:
        _shade_sun(picture, items, backdrop.sunlit, backdrop.shade)


def _shade_sun(picture: Image, items: Sequence[Placed], sunlit: Image, left: npt.NDArray[np.float32]) -> None:
    height, width = picture.shape[:2]
    shadow = np.zeros((height // COARSE, width // COARSE), np.uint8)
    for item in items:
        if item.shadow is not None:
            height_px, width_px = item.shadow.mask.shape
            rows = slice(item.shadow.y0, item.shadow.y0 + height_px)
            part = shadow[rows, item.shadow.x0 : item.shadow.x0 + width_px]
            cv2.max(part, item.shadow.mask, dst=part)
    shadow = cv2.GaussianBlur(shadow, (0, 0), _SUN_BLUR_PX)
    share = cv2.multiply(cv2.resize(shadow, (width, height)), sunlit, scale=1 / 255)
    lost = cv2.multiply(cv2.cvtColor(share, cv2.COLOR_GRAY2BGR), np.array((*(1 - left), 0.0)))
    cv2.multiply(picture, 255 - lost, dst=picture, scale=1 / 255)


def lighten(picture: Image, items: Sequence[Placed], in_beam: Image) -> None:
    """Add the light of headlights to the ground, in place."""
    beams = [outline for item in items for outline in item.beams_px]
    if not beams:
        return
    height, width = picture.shape[:2]
    level = np.zeros((height // COARSE, width // COARSE), np.uint8)
    for outline in beams:
        fill(level, outline, (150,), scale=1 / COARSE)
    level = cv2.resize(cv2.GaussianBlur(level, (0, 0), _BEAM_BLUR_PX), (width, height))
    cv2.add(picture, cv2.multiply(in_beam, cv2.cvtColor(level, cv2.COLOR_GRAY2BGR), scale=1 / 255), dst=picture)


def mirror_bodies(picture: Image, items: Sequence[Placed], ground: Image, wetness: float) -> None:
    """Lay every body's dull mirror image on the wet ground below it, far to near, in place."""
    for item in items:
        height, width = item.alpha.shape
        # Mirrored about the line where it touches the ground, which lies a little above its lowest pixel.
        foot = item.sprite.y0 + height - max(1, height // 10)
        rows = min(height, picture.shape[0] - foot)
        if rows <= 1 or width <= 1:
            continue
        columns = slice(item.sprite.x0, item.sprite.x0 + width)
        bare = ground[foot : foot + rows, columns]
        fading = np.linspace(255 * _MIRROR_SHARE * wetness, 0, height, dtype=np.float32)[:rows, None]
        share = np.repeat(fading, width, axis=1).astype(np.uint8)
        share = np.asarray(cv2.multiply(share, bare, scale=1 / 255), np.uint8)
        spread = (1, max(3, height // 8) | 1)
        alpha = cv2.blur(cv2.flip(item.alpha, 0), spread)[:rows]
        bgr = cv2.blur(cv2.flip(item.bgr, 0), spread)[:rows]
        kept = 255 - cv2.multiply(alpha, share, scale=1 / 255)
        part = picture[foot : foot + rows, columns]
        cv2.multiply(part, cv2.cvtColor(kept, cv2.COLOR_GRAY2BGR), dst=part, scale=1 / 255)
        cv2.add(part, cv2.multiply(bgr, cv2.cvtColor(share, cv2.COLOR_GRAY2BGR), scale=1 / 255), dst=part)
