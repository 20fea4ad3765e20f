"""Pictures from disk: files, folders and videos, each as JPEG bytes with a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from gateway.errors import GatewayError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_USUAL_FRAMES_PER_S = 25.0
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".ts", ".webm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """name: path as the user gave it, `video.mp4#12` for a frame; video_s: seconds into the video, else None"""

    name: str
    jpeg: bytes
    video_s: float | None = None


def read_pictures(paths: Sequence[Path]) -> Iterator[Picture]:
    """Every picture of the paths in order; raises GatewayError for a path that is neither picture nor video."""
    for path in _files(paths):
        if path.suffix.lower() in VIDEO_SUFFIXES:
            yield from _read_video(path)
        else:
            yield Picture(name=str(path), jpeg=_as_jpeg(path))


def count_pictures(paths: Sequence[Path]) -> int | None:
    """How many pictures there will be, None when a video does not say."""
    total = 0
    for path in _files(paths):
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            total += 1
            continue
        video = cv2.VideoCapture(str(path))
        frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        video.release()
        if frames <= 0:
            return None
        total += frames
    return total


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    known = PICTURE_SUFFIXES | VIDEO_SUFFIXES
    for path in paths:
        if path.is_dir():
            inside = sorted(item for item in path.iterdir() if item.suffix.lower() in known)
            if not inside:
                raise GatewayError(f"{path}: no picture or video in this folder; known endings: {_list(known)}")
            yield from inside
        elif not path.is_file():
            raise GatewayError(f"{path}: no such file or folder")
        elif path.suffix.lower() in known:
            yield path
        else:
            raise GatewayError(f"{path}: neither a picture nor a video by its name; known endings: {_list(known)}")


def _list(suffixes: frozenset[str]) -> str:
    return " ".join(sorted(suffixes))


def _as_jpeg(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix.lower() in {".jpg", ".jpeg"} or content[:2] == b"\xff\xd8":
        return content
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return content if pixels is None else _encode(pixels)


def _read_video(path: Path) -> Iterator[Picture]:
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise GatewayError(f"{path}: cannot be opened as a video")
        frames_per_s = video.get(cv2.CAP_PROP_FPS) or _USUAL_FRAMES_PER_S
        index = 0
        while True:
            more, pixels = video.read()
            if not more:
                return
            yield Picture(name=f"{path}#{index}", jpeg=_encode(pixels), video_s=index / frames_per_s)
            index += 1
    finally:
        video.release()


def _encode(pixels: cv2.typing.MatLike) -> bytes:
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])
    if not done:
        raise GatewayError("a picture could not be encoded as JPEG")
    return encoded.tobytes()
