"""Site folders that tests are written against; what ships may change, these stay."""

from __future__ import annotations

from pathlib import Path

ONE_CAMERA = Path(__file__).with_name("one_camera_site")
"""One camera, four zones, 24 cells, 200 sensors, one policy: see its README.md."""

STREET_OBJECTS = Path(__file__).parents[2] / "shared" / "data" / "street-objects"
STREET_FRAMES = Path(__file__).parents[2] / "shared" / "data" / "street-camera" / "frames"
"""Labelled real pictures beside the checkout, where there are any."""
