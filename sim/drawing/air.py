"""What lies between the street and the file: rain, glare, the lens and the sensor."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sim.street.weather import Light

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

_MARGIN_PX = 64
_RAIN_PER_PX = 0.0009
_DROPS = 9
_CHROMA_SHARE = 0.35


class Air:
    """The effects of one condition on pictures of one size; all chance comes from the seed and each frame's grain."""

    def __init__(self, size_px: tuple[int, int], light: Light, *, seed: int) -> None:
        self._light = light
        self._seed = seed
        self._size_px = size_px
        rng = np.random.default_rng((seed, 31))
        self._noise = _noise_tile(size_px, light, rng)
        self._veil = _veil(size_px, light)
        self._falloff = _falloff(size_px, light)
        self._tone = _tone_curve(light.tone)
        self._streaks = _streak_tile(size_px, light, rng) if light.rain > 0 else None
        self._drops = _drops(size_px, rng) if light.rain > 0 else ()

    def cover(self, picture: Image, *, second: float, grain: int) -> Image:
        """The picture (H, W, 3) as the camera delivers it; the given one is used up. second and grain >= 0."""
        rng = np.random.default_rng((self._seed, grain))
        width, height = self._size_px
        if self._light.glare > 0:
            picture = _bloom(picture)
        if self._veil is not None:
            cv2.add(picture, self._veil, dst=picture)
        if self._streaks is not None:
            falling = np.random.default_rng((self._seed, grain, round(second * 1000)))
            x, y = falling.integers(0, _MARGIN_PX), falling.integers(0, self._streaks.shape[0] - height)
            cv2.add(picture, self._streaks[y : y + height, x : x + width], dst=picture)
        for drop in self._drops:
            _look_through(picture, drop)
        cv2.multiply(picture, self._falloff, dst=picture, scale=1 / 255)
        cv2.LUT(picture, self._tone, dst=picture)
        x, y = rng.integers(0, _MARGIN_PX, 2)
        tile = self._noise[y : y + height, x : x + width]
        return np.asarray(cv2.addWeighted(picture, 1, tile, 1, -128), np.uint8)


def soften(picture: Image) -> Image:
    """The lens: a point becomes a little blot."""
    return np.asarray(cv2.GaussianBlur(picture, (3, 3), 0.55), np.uint8)


def _noise_tile(size_px: tuple[int, int], light: Light, rng: np.random.Generator) -> Image:
    """(H + margin, W + margin, 3) around 128."""
    shape = (size_px[1] + _MARGIN_PX, size_px[0] + _MARGIN_PX)
    grey = rng.normal(0, light.noise, shape).astype(np.float32)
    # Sensors sharpen and compress: the grain is not white.
    grey = 0.75 * grey + 0.6 * cv2.GaussianBlur(grey, (0, 0), 0.8)
    tile = np.repeat(grey[..., None], 3, axis=2)
    if not light.is_infrared:
        chroma = cv2.GaussianBlur(rng.normal(0, light.noise, (*shape, 3)).astype(np.float32), (0, 0), 1.2)
        tile = tile + 2 * _CHROMA_SHARE * chroma
    return np.clip(np.round(tile + 128), 0, 255).astype(np.uint8)


def _tone_curve(tone: float) -> Image:
    """(256,) what the camera makes of each level: it shows a scene much brighter than a linear sensor would."""
    return np.asarray(np.round(255 * (np.arange(256) / 255) ** tone), np.uint8)


def _falloff(size_px: tuple[int, int], light: Light) -> Image:
    """(H, W, 3): the lens darkens towards its corners, an infrared lamp lights the middle only."""
    x = np.linspace(-1, 1, size_px[0], dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, size_px[1], dtype=np.float32)[:, None]
    squared = (x**2 + y**2) / 2
    share = 1 - 0.48 * squared if light.is_infrared else 1 - 0.16 * squared**1.5
    return np.repeat(np.round(np.clip(share, 0.1, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)


def _veil(size_px: tuple[int, int], light: Light) -> Image | None:
    """(H, W, 3): sunlight that strays into the lens, from beyond the top edge."""
    if light.glare <= 0:
        return None
    width, height = size_px
    x = (np.arange(width, dtype=np.float32)[None, :] - 0.55 * width) / width
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.30 * height) / width
    away = np.hypot(x, y)
    level = 0.14 + 0.85 * np.exp(-((away / 0.34) ** 2)) + 0.25 * np.exp(-((x / 0.05) ** 2) - (y / 0.5) ** 2)
    warm = np.asarray((0.80, 0.92, 1.0), np.float32) * np.float32(255 * light.glare)
    return np.clip(level[..., None] * warm, 0, 255).astype(np.uint8)


def _bloom(picture: Image) -> Image:
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
    bright = cv2.GaussianBlur(cv2.subtract(small, np.full_like(small, 165)), (0, 0), 3)
    spread = cv2.resize(bright, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(picture, 1, spread, 0.9, 0), np.uint8)


def _streak_tile(size_px: tuple[int, int], light: Light, rng: np.random.Generator) -> Image:
    """(2 H, W + margin, 3): falling drops as the shutter draws them out; near ones are longer and fainter."""
    width, height = size_px[0] + _MARGIN_PX, size_px[1] * 2
    tile = np.zeros((height, width), np.uint8)
    slant = rng.uniform(-0.18, 0.18)
    for _ in range(round(width * height * _RAIN_PER_PX * light.rain)):
        depth_m = rng.uniform(1.5, 14)
        length = 9 * light.exposure_s * size_px[0] * 0.85 / depth_m
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        thickness = 2 if depth_m < 2.2 else 1
        level = rng.uniform(14, 44) * (0.6 if depth_m < 3 else 1.0)
        end = (round(x + slant * length), round(y + length))
        cv2.line(tile, (round(x), round(y)), end, (level,), thickness, cv2.LINE_AA)
    return np.repeat(tile[..., None], 3, axis=2)


def _drops(size_px: tuple[int, int], rng: np.random.Generator) -> tuple[tuple[int, int, int], ...]:
    """x, y, radius in pixels of drops on the glass."""
    largest = max(4, size_px[0] // 45)
    return tuple(
        (int(rng.integers(0, size_px[0])), int(rng.integers(0, size_px[1])), int(rng.integers(3, largest + 1)))
        for _ in range(_DROPS)
    )


def _look_through(picture: Image, drop: tuple[int, int, int]) -> None:
    """A drop shows the street upside down and out of focus."""
    x, y, radius = drop
    part = picture[max(0, y - radius) : y + radius, max(0, x - radius) : x + radius]
    height, width = part.shape[:2]
    blurred = cv2.blur(cv2.flip(part, 0), (radius | 1, radius | 1))
    disc = np.zeros((height, width, 3), np.uint8)
    cv2.ellipse(disc, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, (200, 200, 200), -1, cv2.LINE_AA)
    cv2.blur(disc, (3, 3), dst=disc)
    through = cv2.multiply(blurred, disc, scale=1 / 255)
    cv2.add(cv2.multiply(part, 255 - disc, scale=1 / 255), through, dst=part)
