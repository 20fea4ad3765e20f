"""Proportions of the usual cars."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CarShape:
    """Proportions, in shares of length (0 front … 1 back) and height.

    profile: (along, half width share, height share) of the lower body from front to back
    glass:   where the windscreen and the rear window begin below, and where they meet the roof
    """

    profile: tuple[tuple[float, float, float], ...]
    windscreen: tuple[float, float]
    rear_window: tuple[float, float]
    sill: float
    roof_half: float
    wheels: tuple[float, float]
    wheel_radius_m: float


SEDAN = CarShape(
    profile=(
        (0.0, 0.70, 0.40), (0.025, 0.90, 0.485), (0.09, 0.975, 0.53),
        (0.25, 1.0, 0.60), (0.55, 1.0, 0.645), (0.88, 0.985, 0.655), (0.97, 0.91, 0.62), (1.0, 0.74, 0.45),
    ),
    windscreen=(0.235, 0.43), rear_window=(0.855, 0.69), sill=0.135, roof_half=0.70,
    wheels=(0.19, 0.79), wheel_radius_m=0.33,
)  # fmt: skip
HATCH = CarShape(
    profile=(
        (0.0, 0.70, 0.40), (0.025, 0.90, 0.48), (0.08, 0.975, 0.54),
        (0.24, 1.0, 0.62), (0.60, 1.0, 0.655), (0.90, 0.985, 0.66), (0.98, 0.93, 0.60), (1.0, 0.80, 0.42),
    ),
    windscreen=(0.22, 0.40), rear_window=(0.975, 0.86), sill=0.135, roof_half=0.72,
    wheels=(0.19, 0.80), wheel_radius_m=0.32,
)  # fmt: skip
SUV = CarShape(
    profile=(
        (0.0, 0.74, 0.42), (0.025, 0.92, 0.54), (0.08, 0.98, 0.58),
        (0.25, 1.0, 0.635), (0.60, 1.0, 0.66), (0.92, 0.99, 0.66), (0.98, 0.94, 0.60), (1.0, 0.82, 0.42),
    ),
    windscreen=(0.245, 0.40), rear_window=(0.975, 0.88), sill=0.155, roof_half=0.76,
    wheels=(0.19, 0.80), wheel_radius_m=0.37,
)  # fmt: skip
VAN = CarShape(
    profile=(
        (0.0, 0.78, 0.36), (0.015, 0.93, 0.47), (0.05, 0.985, 0.53),
        (0.12, 1.0, 0.56), (0.55, 1.0, 0.58), (0.96, 0.995, 0.58), (0.99, 0.96, 0.56), (1.0, 0.90, 0.40),
    ),
    windscreen=(0.075, 0.26), rear_window=(0.992, 0.95), sill=0.13, roof_half=0.84,
    wheels=(0.17, 0.79), wheel_radius_m=0.33,
)  # fmt: skip
