from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.drawing.looks import mesh_of
from sim.drawing.mesh import Face, Part, build_mesh, fitted, normal_of
from sim.drawing.solids import ball, box, patch, tube
from sim.street.body import SIZE_M, Body, BodyKind

GREY = (0.5, 0.5, 0.5)
UNIT = box((0.0, 1.0), (0.0, 1.0), (0.0, 1.0), GREY)


def test_normals_point_out_of_a_convex_part() -> None:
    mesh = build_mesh([Part(faces=UNIT)])
    assert len(mesh.normals) == 6
    assert np.einsum("ij,ij->i", mesh.normals, mesh.middles - (0.5, 0.5, 0.5)) == pytest.approx(np.full(6, 0.5))


def test_a_face_drawn_the_wrong_way_round_is_turned() -> None:
    inverted = tuple(replace(face, corners=face.corners[::-1]) for face in UNIT)
    assert build_mesh([Part(faces=inverted)]).normals == pytest.approx(build_mesh([Part(faces=UNIT)]).normals)


def test_normal_of_a_point_is_upright() -> None:
    assert normal_of(np.ones((4, 3))).tolist() == [0.0, 0.0, 1.0]


def test_fitted_parts_fill_the_box_exactly() -> None:
    (part,) = fitted([Part(faces=UNIT)], length_m=4.0, width_m=2.0, height_m=1.5)
    corners = np.concatenate([face.corners for face in part.faces])
    assert corners.min(axis=0).tolist() == [-1.0, -2.0, 0.0]
    assert corners.max(axis=0).tolist() == [1.0, 2.0, 1.5]


def test_a_patch_of_a_square_is_its_share() -> None:
    square = Face(corners=np.array([(0.0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)]), bgr=GREY)
    assert patch(square, (0.25, 0.75), (0.0, 0.5)).tolist() == [
        [0.25, 0, 0],
        [0.75, 0, 0],
        [0.75, 0, 0.5],
        [0.25, 0, 0.5],
    ]


def test_balls_and_tubes_stay_within_their_radii() -> None:
    corners = np.concatenate([face.corners for face in ball(np.zeros(3), np.array([1.0, 2.0, 3.0]), GREY)])
    assert (np.sum((corners / (1.0, 2.0, 3.0)) ** 2, axis=1) <= 1 + 1e-9).all()
    bar = np.concatenate([face.corners for face in tube(np.zeros(3), np.array([0.0, 0.0, 5.0]), (0.1, 0.2), GREY)])
    assert np.hypot(bar[:, 0], bar[:, 1]).max() == pytest.approx(0.2)


@pytest.mark.parametrize("kind", sorted(set(BodyKind) - {BodyKind.PEDESTRIAN}))
@pytest.mark.parametrize("look", [0, 7, -3])
def test_a_mesh_fills_the_size_of_its_body(kind: BodyKind, look: int) -> None:
    length_m, width_m, height_m = (1.1 * size for size in SIZE_M[kind])
    one = Body(id="a", kind=kind, x_m=0, y_m=0, length_m=length_m, width_m=width_m, height_m=height_m, look=look)
    corners = mesh_of(one).corners
    assert np.ptp(corners, axis=0) == pytest.approx((width_m, length_m, height_m))
    assert corners[:, 2].min() == pytest.approx(0.0, abs=1e-9)


def test_a_pedestrian_is_as_high_as_stated() -> None:
    one = Body(id="a", kind=BodyKind.PEDESTRIAN, x_m=0, y_m=0, length_m=0.42, width_m=0.56, height_m=1.6)
    corners = mesh_of(one).corners
    assert corners[:, 2].max() == pytest.approx(1.6, abs=0.06)
    assert corners[:, 2].min() == pytest.approx(0.0, abs=0.06)


def test_one_mesh_serves_a_body_wherever_it_drives() -> None:
    one = Body(id="a", kind=BodyKind.CAR, x_m=0, y_m=0, length_m=4.6, width_m=1.8, height_m=1.5)
    assert mesh_of(one) is mesh_of(replace(one, x_m=3.0, y_m=9.0, heading_deg=40.0, speed_mps=5.0))
