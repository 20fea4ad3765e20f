"""Pictures from disk: files, folders and videos, and one clear line for what is neither."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.adapters.pictures import count_pictures, read_pictures
from gateway.errors import GatewayError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (2, 1):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), np.full((40, 60, 3), number, np.uint8))
    cv2.imwrite(str(tmp_path / "3.png"), np.full((40, 60, 3), 3, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_a_folder_gives_its_pictures_in_order_all_as_jpeg(folder: Path) -> None:
    pictures = list(read_pictures([folder]))
    assert [Path(picture.name).name for picture in pictures] == ["1.jpg", "2.jpg", "3.png"]
    assert all(picture.jpeg.startswith(b"\xff\xd8") for picture in pictures)
    assert pictures[0].jpeg == (folder / "1.jpg").read_bytes()
    assert count_pictures([folder]) == 3


def test_a_video_gives_every_frame_with_its_second(tmp_path: Path) -> None:
    path = tmp_path / "v.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for number in range(7):
        writer.write(np.full((48, 64, 3), number * 30, np.uint8))
    writer.release()
    frames = list(read_pictures([path]))
    assert [frame.name for frame in frames] == [f"{path}#{number}" for number in range(7)]
    assert [frame.video_s for frame in frames] == pytest.approx([number / 10 for number in range(7)])
    assert count_pictures([path]) == 7


@pytest.mark.parametrize(
    ("name", "said"), [("gone.jpg", "no such file or folder"), ("notes.txt", "neither a picture nor a video")]
)
def test_what_is_no_picture_is_one_line(folder: Path, name: str, said: str) -> None:
    with pytest.raises(GatewayError) as caught:
        list(read_pictures([folder / name]))
    assert str(caught.value).startswith(f"{folder / name}: {said}")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="no picture or video in this folder"):
        list(read_pictures([tmp_path]))
