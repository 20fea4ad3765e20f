"""How the street is lit, and what the air and the camera make of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

Colour = tuple[float, float, float]
"""BGR, 1.0 = what a bright day shows of a white thing."""


class Weather(StrEnum):
    """The named conditions of a scenario."""

    DAY = "day"
    OVERCAST = "overcast"
    DUSK = "dusk"
    NIGHT = "night"
    RAIN = "rain"
    FOG = "fog"
    GLARE = "glare"
    INFRARED = "infrared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Everything the painter needs to know of a condition.

    sun:             unit vector from the ground to the sun in street axes, None without shadows
    sun_bgr, sky_bgr: light on a surface that faces the sun, and from the whole sky
    horizon_bgr, zenith_bgr: colours of the sky
    has_lamps:       street lamps, shop windows and the lamps of running vehicles burn
    fog_per_m:       share of the light that a metre of air replaces by horizon_bgr
    wetness:         0 dry … 1: dark, shining ground
    rain:            0 none … 1 heavy streaks
    glare:           0 none … 1 the sun shines into the lens
    is_infrared:     grey picture, lit by the camera's own lamp
    exposure_s:      how long the shutter is open: motion blur
    noise:           standard deviation of the sensor's noise, grey values
    tone:            the camera's tone curve is level ** tone; below 1 it lifts what is dark
    """

    sun: tuple[float, float, float] | None
    sun_bgr: Colour
    sky_bgr: Colour
    horizon_bgr: Colour
    zenith_bgr: Colour
    has_lamps: bool = False
    fog_per_m: float = 0.0
    wetness: float = 0.0
    rain: float = 0.0
    glare: float = 0.0
    is_infrared: bool = False
    exposure_s: float = 0.004
    noise: float = 1.5
    tone: float = 1.0


def _sun(azimuth_deg: float, height_deg: float) -> tuple[float, float, float]:
    """Towards the sun; azimuth clockwise from the street's y axis."""
    azimuth, height = math.radians(azimuth_deg), math.radians(height_deg)
    return (math.sin(azimuth) * math.cos(height), math.cos(azimuth) * math.cos(height), math.sin(height))


LIGHTS = MappingProxyType(
    {
        Weather.DAY: Light(
            sun=_sun(215, 48),
            sun_bgr=(0.52, 0.58, 0.62),
            sky_bgr=(0.50, 0.46, 0.43),
            horizon_bgr=(0.93, 0.90, 0.86),
            zenith_bgr=(0.86, 0.70, 0.55),
            tone=0.68,
        ),
        Weather.OVERCAST: Light(
            sun=None,
            sun_bgr=(0.0, 0.0, 0.0),
            sky_bgr=(0.80, 0.79, 0.78),
            horizon_bgr=(0.86, 0.86, 0.86),
            zenith_bgr=(0.76, 0.75, 0.74),
            exposure_s=0.006,
            tone=0.74,
        ),
        Weather.DUSK: Light(
            sun=None,
            sun_bgr=(0.0, 0.0, 0.0),
            sky_bgr=(0.36, 0.32, 0.32),
            horizon_bgr=(0.42, 0.50, 0.66),
            zenith_bgr=(0.42, 0.30, 0.24),
            has_lamps=True,
            exposure_s=0.015,
            noise=3.5,
            tone=0.85,
        ),
        Weather.NIGHT: Light(
            sun=None,
            sun_bgr=(0.0, 0.0, 0.0),
            sky_bgr=(0.085, 0.075, 0.07),
            horizon_bgr=(0.10, 0.10, 0.12),
            zenith_bgr=(0.04, 0.03, 0.03),
            has_lamps=True,
            exposure_s=0.033,
            noise=6.0,
            tone=0.9,
        ),
        Weather.RAIN: Light(
            sun=None,
            sun_bgr=(0.0, 0.0, 0.0),
            sky_bgr=(0.56, 0.55, 0.53),
            horizon_bgr=(0.62, 0.62, 0.61),
            zenith_bgr=(0.52, 0.51, 0.50),
            fog_per_m=0.006,
            wetness=0.8,
            rain=0.7,
            exposure_s=0.010,
            noise=2.5,
            tone=0.78,
        ),
        Weather.FOG: Light(
            sun=None,
            sun_bgr=(0.0, 0.0, 0.0),
            sky_bgr=(0.74, 0.74, 0.73),
            horizon_bgr=(0.80, 0.80, 0.79),
            zenith_bgr=(0.80, 0.80, 0.79),
            fog_per_m=0.03,
            wetness=0.2,
            exposure_s=0.008,
            noise=2.0,
            tone=0.9,
        ),
        Weather.GLARE: Light(
            sun=_sun(8, 14),
            sun_bgr=(0.40, 0.56, 0.68),
            sky_bgr=(0.42, 0.42, 0.44),
            horizon_bgr=(0.86, 0.92, 0.98),
            zenith_bgr=(0.80, 0.74, 0.68),
            glare=0.7,
            tone=0.8,
        ),
        Weather.INFRARED: Light(
            sun=None,
            sun_bgr=(0.0, 0.0, 0.0),
            sky_bgr=(0.05, 0.05, 0.05),
            horizon_bgr=(0.03, 0.03, 0.03),
            zenith_bgr=(0.02, 0.02, 0.02),
            is_infrared=True,
            exposure_s=0.025,
            noise=5.0,
        ),
    }
)
