"""Drawn training frames: reproducible, with labels that lie inside the picture and name what is there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely

from sim.adapters.drawn_set import write_drawn_set
from sim.drawing.random_bodies import STREET_LIFE, TRAFFIC, Crowd, random_bodies
from sim.drawing.random_streets import (
    MIN_SIDE_PX,
    PICTURES_PER_STREET,
    LabelledPicture,
    draw_random_pictures,
    random_camera,
    random_street,
    traffic_camera,
)
from sim.street.body import SIZE_M, VEHICLES, Body, BodyKind
from sim.street.layout import StreetPart, build_street
from sim.street.pinhole import PinholeCamera

# Seeds whose first streets are seen by small cameras, because those are drawn fast.
SEED, OTHER_SEED = 35, 30
COUNT = PICTURES_PER_STREET + 1
CLASSES = ("car", "garbage")
ALL_CLASSES = ("person", "bicycle", "car", "motorcycle", "bus", "truck", "garbage", "garbage_bin", "overflow")
CAMERA = PinholeCamera(size_px=(960, 540), focal_px=800, height_m=5.5, tilt_deg=20, x_m=0, y_m=10)
STREET = build_street(StreetPart(y_m=(0, 110)), seed=1)


@pytest.fixture(scope="module")
def pictures() -> list[LabelledPicture]:
    """Those of one street."""
    return list(draw_random_pictures(seed=SEED, count=PICTURES_PER_STREET))


@dataclass(frozen=True)
class Written:
    """A folder with pictures of two streets, labels of two classes, and what was told meanwhile."""

    folder: Path
    boxes: int
    told: list[tuple[int, int]]

    def labels(self, index: int) -> list[str]:
        return (self.folder / "labels" / f"drawn_{index:04d}.txt").read_text(encoding="utf-8").splitlines()

    def jpeg(self, index: int) -> bytes:
        return (self.folder / "images" / f"drawn_{index:04d}.jpg").read_bytes()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder, told = tmp_path_factory.mktemp("drawn"), list[tuple[int, int]]()
    boxes = write_drawn_set(
        folder, CLASSES, count=COUNT, seed=SEED, progress=lambda done, total: told.append((done, total))
    )
    return Written(folder, boxes, told)


def test_the_same_seed_gives_the_same_files_however_many_follow(
    written: Written, pictures: list[LabelledPicture]
) -> None:
    for index, picture in enumerate(pictures):
        jpeg = cv2.imencode(".jpg", picture.image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
        assert written.jpeg(index) == jpeg


def test_another_seed_gives_other_pictures(pictures: list[LabelledPicture]) -> None:
    (other,) = draw_random_pictures(seed=OTHER_SEED, count=1)
    assert other.image.shape == pictures[0].image.shape
    assert (other.image != pictures[0].image).any()


def test_every_box_lies_inside_its_picture_and_is_large_enough(pictures: list[LabelledPicture]) -> None:
    assert sum(len(picture.boxes) for picture in pictures) > 5
    for picture in pictures:
        height, width = picture.image.shape[:2]
        for _, (x0, y0, x1, y1) in picture.boxes:
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            assert min(x1 - x0, y1 - y0) >= MIN_SIDE_PX


def test_a_label_is_the_centre_and_the_size_in_fractions(written: Written, pictures: list[LabelledPicture]) -> None:
    for index, picture in enumerate(pictures):
        size = np.array([picture.image.shape[1], picture.image.shape[0]] * 2)
        boxes = [(CLASSES.index(name), box) for name, box in picture.boxes if name in CLASSES]
        for line, (class_id, box) in zip(written.labels(index), boxes, strict=True):
            name, cx, cy, w, h = (float(field) for field in line.split())
            assert name == class_id
            corners = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]) * size
            np.testing.assert_allclose(corners, box, atol=0.01)


def test_only_what_has_a_class_gets_a_label(written: Written, pictures: list[LabelledPicture]) -> None:
    shown = [name for picture in pictures for name, _ in picture.boxes]
    labels = [int(line.split()[0]) for index in range(len(pictures)) for line in written.labels(index)]
    assert sorted(labels) == sorted(CLASSES.index(name) for name in shown if name in CLASSES)
    assert 0 < len(labels) < len(shown)


def test_every_picture_and_every_box_counts(written: Written) -> None:
    assert written.told == [(done, COUNT) for done in range(1, COUNT + 1)]
    assert len(list((written.folder / "images").iterdir())) == COUNT
    assert written.boxes == sum(len(written.labels(index)) for index in range(COUNT))


def test_bodies_never_stand_in_each_other() -> None:
    for seed in range(20):
        bodies = random_bodies(np.random.default_rng(seed), STREET, CAMERA, count=14)
        for one, other in combinations(bodies, 2):
            assert not shapely.Polygon(one.footprint_m()).intersects(shapely.Polygon(other.footprint_m()))


def test_of_every_body_something_is_in_the_picture() -> None:
    for seed in range(20):
        for body in random_bodies(np.random.default_rng(seed), STREET, CAMERA, count=14):
            x0, y0, x1, y1 = outline_px(body)
            assert x1 > 0
            assert y1 > 0
            assert x0 < 960
            assert y0 < 540


def test_the_edge_of_the_picture_cuts_some_bodies_on_every_side_but_the_sky() -> None:
    outlines = np.array(
        [
            outline_px(body)
            for seed in range(60)
            for body in random_bodies(np.random.default_rng(seed), STREET, CAMERA, count=14)
        ]
    )
    x0, _, x1, y1 = outlines.T
    for cut in (x0 < 0, x1 > 960, y1 > 540):
        assert 0 < cut.mean() < 0.2
    # Slivers as well: less than a tenth of the width.
    assert (((x0 < 0) & (x1 < (x1 - x0) * 0.1)) | ((x1 > 960) & (960 - x0 < (x1 - x0) * 0.1))).any()


def outline_px(body: Body) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) around the corners of its block."""
    px = CAMERA.project(np.array([(*corner, z_m) for corner in body.footprint_m() for z_m in (0.0, body.height_m)]))
    return (*px.min(axis=0), *px.max(axis=0))


def test_every_kind_occurs_and_two_wheelers_with_and_without_riders() -> None:
    bodies = [
        body
        for seed in range(150)
        for body in random_bodies(np.random.default_rng((7, seed)), STREET, CAMERA, count=14)
    ]
    assert {body.kind for body in bodies} == set(BodyKind)
    assert {body.class_name for body in bodies} == {*ALL_CLASSES, "stall", "goods"}
    assert {body.has_rider for body in bodies if body.kind is BodyKind.BICYCLE} == {True, False}
    assert {body.has_rider for body in bodies if body.kind not in {BodyKind.BICYCLE, BodyKind.MOTORCYCLE}} == {False}


def test_vehicles_in_motion_keep_to_the_right() -> None:
    lanes = {lane.direction: lane for lane in STREET.lanes}
    moving = [
        body
        for seed in range(60)
        for body in random_bodies(np.random.default_rng((8, seed)), STREET, CAMERA, count=14)
        if body.kind in VEHICLES and body.speed_mps > 0
    ]
    assert moving
    for body in moving:
        lane = lanes[1 if np.cos(np.radians(body.heading_deg)) > 0 else -1]
        assert abs(body.x_m - lane.x_m) <= (lane.width_m - SIZE_M[BodyKind.CAR][1]) / 2


def test_every_random_camera_sees_the_street_up_to_its_corners() -> None:
    for seed in range(100):
        rng = np.random.default_rng(seed)
        camera = random_camera(rng, build_street(random_street(rng), seed=seed))
        width, height = camera.size_px
        corners = np.array([(x, y) for x in (0.0, width) for y in (0.0, height)])
        assert np.isfinite(camera.rays(corners)).all()
        assert np.isfinite(camera.ground_under(corners[corners[:, 1] == height])).all()


def test_a_traffic_camera_hangs_over_the_carriageway_and_looks_down_the_street() -> None:
    for seed in range(100):
        rng = np.random.default_rng(seed)
        street = build_street(random_street(rng), seed=seed)
        camera = traffic_camera(rng, street)
        left_m, right_m = sorted(street.carriageway_x_m)
        assert left_m <= camera.x_m <= right_m
        assert camera.height_m >= 5.0
        along = np.cos(np.radians(camera.heading_deg))
        assert abs(along) > 0.97
        ahead_m = camera.y_m + np.sign(along) * 15.0
        px, py = camera.project(np.array([[camera.x_m, ahead_m, 0.0]]))[0]
        assert 0 < px < camera.size_px[0]
        assert py > 0


def test_traffic_reaches_farther_than_street_life_and_holds_no_litter() -> None:
    def distances_m(crowd: Crowd) -> list[float]:
        return [
            float(np.hypot(body.x_m - CAMERA.x_m, body.y_m - CAMERA.y_m))
            for seed in range(20)
            for body in random_bodies(np.random.default_rng((9, seed)), STREET, CAMERA, count=40, crowd=crowd)
        ]

    assert BodyKind.GARBAGE not in TRAFFIC.kinds
    assert max(distances_m(TRAFFIC)) > STREET_LIFE.farthest_m > max(distances_m(STREET_LIFE)) - 1.0


def test_the_share_of_traffic_cameras_decides_what_the_streets_hold() -> None:
    def names(share: float) -> list[str]:
        pictures = draw_random_pictures(seed=SEED, count=PICTURES_PER_STREET, traffic_share=share)
        return [name for picture in pictures for name, _ in picture.boxes]

    assert len(names(0.0)) < len(names(1.0))
    assert not {"garbage", "garbage_bin", "overflow"} & set(names(1.0))


def test_without_doubt_only_what_shows_too_little_is_missing(pictures: list[LabelledPicture]) -> None:
    cleared = list(draw_random_pictures(seed=SEED, count=PICTURES_PER_STREET, without_doubt=True))
    assert any((one.image != other.image).any() for one, other in zip(pictures, cleared, strict=True))
    for one, other in zip(pictures, cleared, strict=True):
        # Nothing that had a label loses it; its box may grow when what hid it is gone.
        assert Counter(name for name, _ in other.boxes) >= Counter(name for name, _ in one.boxes)
