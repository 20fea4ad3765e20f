"""What stands before a clean street: found when it stays, left alone when light, lamps or known things change it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from detectors import open_detector
from detectors.background import Background, BackgroundSettings, advance_background, clean_street
from tests.sites import STREET_FRAMES

Grey = npt.NDArray[np.uint8]
SETTINGS = BackgroundSettings()
NOTHING = np.empty((0, 4))
PLACE = (200, 150, 280, 230)


def street(seed: int = 1) -> Grey:
    """Slabs with joints, a kerb, and a rough wall."""
    chance = np.random.default_rng(seed)
    picture = np.full((360, 640), 120, np.uint8)
    picture[::40] = 80
    picture[:, ::40] = 85
    picture[:, 420:430] = 190
    picture[:120] = cv2.GaussianBlur(chance.integers(0, 255, (120, 640)).astype(np.uint8), (9, 9), 0)
    return picture


def noisy(picture: Grey, seed: int, gain: float = 1.0, offset: float = 0.0) -> Grey:
    chance = np.random.default_rng(seed)
    return np.clip(picture * gain + offset + chance.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def with_thing(picture: Grey, place: tuple[int, int, int, int] = PLACE) -> Grey:
    x0, y0, x1, y1 = place
    after = picture.copy()
    after[y0:y1, x0:x1] = 40
    after[y0 + 20 : y1 - 20, x0 + 20 : x1 - 20] = 220
    return after


def watch(
    state: Background,
    picture: Grey,
    seconds: range,
    *,
    boxes: npt.NDArray[np.float64] = NOTHING,
    gain: float = 1.0,
    offset: float = 0.0,
) -> tuple[Background, npt.NDArray[np.float64]]:
    found = NOTHING
    for second in seconds:
        state, found = advance_background(state, noisy(picture, second, gain, offset), boxes, float(second), SETTINGS)
    return state, found


def iou(box: npt.NDArray[np.float64], other: tuple[int, int, int, int]) -> float:
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    common = float(np.prod(np.clip(sides, 0, None)))
    areas = [float((b[2] - b[0]) * (b[3] - b[1])) for b in (box, other)]
    return common / (sum(areas) - common)


def test_a_thing_that_stays_is_found_where_it_stands_after_its_time() -> None:
    state, early = watch(clean_street(street()), with_thing(street()), range(29))
    assert len(early) == 0
    _, (box,) = watch(state, with_thing(street()), range(29, 40))
    assert box == pytest.approx(PLACE, abs=6)


def test_an_empty_street_shows_nothing_for_an_hour() -> None:
    _, found = watch(clean_street(street()), street(), range(0, 3600, 10))
    assert len(found) == 0


@pytest.mark.parametrize("light", [(0.5, 0.0), (1.3, 0.0), (1.0, 40.0), (0.6, -20.0)])
def test_other_light_is_no_thing(light: tuple[float, float]) -> None:
    state, _ = watch(clean_street(street()), street(), range(10))
    _, found = watch(state, street(), range(10, 100), gain=light[0], offset=light[1])
    assert len(found) == 0


def test_a_thing_is_found_in_other_light() -> None:
    state, _ = watch(clean_street(street()), street(), range(10))
    _, (box,) = watch(state, with_thing(street()), range(10, 60), gain=0.6)
    assert iou(box, PLACE) > 0.5


def test_what_the_detectors_name_is_theirs() -> None:
    boxes = np.array([PLACE], np.float64)
    _, found = watch(clean_street(street()), with_thing(street()), range(60), boxes=boxes)
    assert len(found) == 0


def test_what_passes_is_forgotten() -> None:
    state = clean_street(street())
    for second in range(120):
        place = (second * 5, 150, second * 5 + 80, 230)
        state, found = advance_background(state, with_thing(street(), place), NOTHING, float(second), SETTINGS)
        assert len(found) == 0


def test_a_thing_that_has_left_is_gone_after_two_looks() -> None:
    state, found = watch(clean_street(street()), with_thing(street()), range(40))
    assert len(found) == 1
    _, found = watch(state, street(), range(40, 43))
    assert len(found) == 0


def test_a_thing_hidden_by_a_passing_bus_is_still_known_after_it() -> None:
    state, _ = watch(clean_street(street()), with_thing(street()), range(40))
    bus = np.array([(150, 100, 400, 260)], np.float64)
    state, _ = watch(state, with_thing(street(), (150, 100, 400, 260)), range(40, 60), boxes=bus)
    _, found = watch(state, with_thing(street()), range(60, 61))
    assert len(found) == 1


def test_another_view_altogether_keeps_what_was_found() -> None:
    state, before = watch(clean_street(street()), with_thing(street()), range(40))
    noise = np.random.default_rng(3).integers(0, 255, (360, 640)).astype(np.uint8)
    _, after = watch(state, cv2.GaussianBlur(noise, (9, 9), 0).astype(np.uint8), range(40, 45))
    assert after == pytest.approx(before)


def test_a_restart_and_a_late_look_change_nothing() -> None:
    state, before = watch(clean_street(street()), with_thing(street()), range(40))
    state = Background.from_json(state.to_json())
    same, found = advance_background(state, street(), NOTHING, 20.0, SETTINGS)
    assert same is state
    assert found == pytest.approx(before)
    _, found = watch(state, with_thing(street()), range(40, 41))
    assert len(found) == 1


def test_traffic_of_a_real_street_leaves_nothing_and_a_box_put_there_is_found() -> None:
    files = sorted(STREET_FRAMES.glob("*.jpg"))[::12]
    if not files:
        pytest.skip("needs the observed street's pictures")
    jpegs = [file.read_bytes() for file in files]
    with_boxes = open_detector("street_v2").detect(jpegs)
    pictures = [np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), np.uint8) for file in files]
    clean = np.median(np.stack(pictures), axis=0).astype(np.uint8)
    told = {}
    for name in ("empty", "box"):
        state, told[name] = clean_street(clean), 0
        for number, (picture, seen) in enumerate(zip(pictures, with_boxes, strict=True)):
            shown = picture.copy()
            if name == "box":
                shown[300:330, 60:90] = 130
                shown[308:322, 68:82] = 220
            boxes = seen.xyxy.astype(np.float64)
            state, found = advance_background(state, shown, boxes, 4.0 * number, SETTINGS)
            told[name] += len(found)
            assert all(iou(box, (60, 300, 90, 330)) > 0.3 for box in found)
    assert told["empty"] == 0
    assert told["box"] > len(pictures) / 2
