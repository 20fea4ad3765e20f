"""The colour that a camera sees of a lit surface; used for bodies, ground and houses alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.street.weather import Light

Floats = npt.NDArray[np.float32]

# Light of lamp-lit air on everything, beside the pools under the lamps; warm white.
LAMP_GLOW_BGR = (0.10, 0.13, 0.15)
# The infrared lamp beside the lens: full at the lens, a half at this distance.
INFRARED_REACH_M = 16.0
_INFRARED_POWER = 1.25
_BGR_TO_GREY = (0.114, 0.587, 0.299)


def lit(albedo: Floats, normal: Floats, distance_m: Floats, light: Light) -> Floats:
    """Colours (N, 3) BGR, 0..1, of surfaces.

    albedo: (N, 3) BGR 0..1; normal: (N, 3) unit, street axes; distance_m: (N,) from the camera
    """
    sky_share = (0.65 + 0.35 * normal[:, 2])[:, None]
    incoming = np.asarray(light.sky_bgr, np.float32) * sky_share
    if light.sun is not None:
        facing = np.clip(normal @ np.asarray(light.sun, np.float32), 0, 1)[:, None]
        incoming = incoming + np.asarray(light.sun_bgr, np.float32) * facing
    if light.has_lamps:
        incoming = incoming + np.asarray(LAMP_GLOW_BGR, np.float32) * sky_share
    colour = np.asarray(albedo * incoming, np.float32)
    if light.is_infrared:
        return _infrared(albedo, colour, distance_m)
    return in_fog(colour, distance_m, light)


def in_fog(colour: Floats, distance_m: Floats, light: Light) -> Floats:
    """Colours (N, 3) as the air between lets them through."""
    if light.fog_per_m == 0:
        return colour
    clear = np.exp(-light.fog_per_m * distance_m).astype(np.float32)[:, None]
    return np.asarray(colour * clear + np.asarray(light.horizon_bgr, np.float32) * (1 - clear), np.float32)


def _infrared(albedo: Floats, colour: Floats, distance_m: Floats) -> Floats:
    lamp = _INFRARED_POWER / (1 + (distance_m / INFRARED_REACH_M) ** 2)
    # Near infrared flattens paint colours: cloth, leaves and dark plastic come out light.
    grey = 0.25 + 0.75 * albedo @ np.asarray(_BGR_TO_GREY, np.float32)
    level = grey * lamp + colour @ np.asarray(_BGR_TO_GREY, np.float32)
    return np.asarray(np.repeat(level[:, None], 3, axis=1), np.float32)
