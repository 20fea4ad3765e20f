"""The colours of a body's faces under a light: paint, mirrored sky, burning lamps."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from sim.drawing.fill import Fill
from sim.drawing.mesh import Burns, Floats, Mesh
from sim.drawing.shading import lit
from sim.street.body import Body
from sim.street.weather import Colour, Light

Ints = npt.NDArray[np.intp]

_SHINE_BGR: MappingProxyType[Burns, Colour] = MappingProxyType(
    {
        Burns.HEADLIGHT: (0.95, 1.0, 1.0),
        Burns.TAIL_LIGHT: (0.05, 0.05, 0.75),
        Burns.INSIDE_LIGHT: (0.42, 0.52, 0.58),
    }
)
_BRAKE_BGR: Colour = (0.10, 0.10, 1.0)
# What a mirror that looks below the horizon shows: road, hedges, the foot of houses.
_GROUND_SHARE = 0.30


def face_colours(
    mesh: Mesh, faces: Ints, turn: Floats, eye: Floats, *, burning: dict[Burns, Colour], light: Light
) -> list[Fill]:
    """(B, G, R, 255) per face, 0..255.

    faces: which of the mesh; turn: (3, 3) body axes to street axes; eye: (3,) the camera in body axes
    """
    normals = mesh.normals[faces]
    views = mesh.middles[faces] - eye
    distance = np.linalg.norm(views, axis=1)
    views /= distance[:, None]
    along = np.einsum("ij,ij->i", normals, views)
    # A face seen from behind is lit on the side that shows.
    normals = np.where(along[:, None] > 0, -normals, normals)
    colour: Floats = lit(
        mesh.albedo[faces], (normals @ turn).astype(np.float32), distance.astype(np.float32), light
    ).astype(np.float64)
    mirrored_z = views[:, 2] + 2 * np.abs(along) * normals[:, 2]
    clear = np.exp(-light.fog_per_m * distance) * mesh.gloss[faces]
    colour = colour + _mirrored(mirrored_z, light) * clear[:, None]
    colour = _shine(colour, mesh.burns[faces], burning, light)
    scaled = np.full((len(faces), 4), 255.0)
    scaled[:, :3] = np.clip(colour * 255, 0, 255)
    return [(b, g, r, a) for b, g, r, a in scaled.tolist()]


def _mirrored(up: Floats, light: Light) -> Floats:
    """(N, 3) colour of the surroundings in the direction whose upward share is `up`, -1..1."""
    horizon, zenith = np.array(light.horizon_bgr), np.array(light.zenith_bgr)
    height = np.clip(up * 1.6, 0, 1)[:, None]
    sky = horizon + (zenith - horizon) * height
    # Houses and trees hide the lowest sky.
    share = _GROUND_SHARE + (1 - _GROUND_SHARE) * np.clip(up * 4 - 0.2, 0, 1)[:, None]
    return np.asarray(sky * share, np.float64)


def burning_lamps(body: Body, light: Light) -> dict[Burns, Colour]:
    """Which of its lamps burn, and their colours; the brake lights are the tail lights, brighter."""
    burning = dict(_SHINE_BGR) if light.has_lamps and body.is_running else {}
    if body.is_braking:
        burning[Burns.TAIL_LIGHT] = _BRAKE_BGR
    return burning


def _shine(colour: Floats, burns: Ints, burning: dict[Burns, Colour], light: Light) -> Floats:
    if not burns.any():
        return colour
    for lamp, bgr in burning.items():
        added = np.full(3, float(np.mean(bgr))) if light.is_infrared else np.array(bgr)
        colour = np.where((burns == lamp)[:, None], colour + added, colour)
    return colour
