"""Decoding and placing in torch, on CPU tensors: the same batch as the processor's path writes, to a shade."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from detectors.decoding import decode_jpeg
from detectors.glance import glance_of
from detectors.letterbox import FILL, Letterbox, SizePx, fit, write_into

torch = pytest.importorskip("torch", reason="needs the extra: pip install street721[train]")

from detectors.adapters.torch_decoder import TorchDecoder  # noqa: E402  after the check that torch is there

pytestmark = pytest.mark.filterwarnings("ignore:The image decoding and encoding:DeprecationWarning")

U8 = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def decoder() -> TorchDecoder:
    return TorchDecoder(torch, torch.device("cpu"))


def _scene(size_px: SizePx, seed: int = 0) -> bytes:
    """Soft blobs with some hard edges, as pictures of streets have them."""
    chance = np.random.default_rng(seed)
    rough = chance.integers(0, 256, (size_px[1] // 24 + 2, size_px[0] // 24 + 2, 3), np.uint8)
    picture = cv2.resize(rough, size_px, interpolation=cv2.INTER_CUBIC)
    cv2.rectangle(picture, (size_px[0] // 3, size_px[1] // 3), (size_px[0] // 2, size_px[1] // 2), (20, 40, 220), -1)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def _here(jpeg: bytes, letterbox: Letterbox) -> tuple[U8, U8]:
    width, height = letterbox.input_px
    slot = np.zeros((height, width, 3), np.uint8)
    pixels = decode_jpeg(jpeg, letterbox.picture_px, letterbox.placed_px)
    write_into(slot, pixels, letterbox)
    return slot, glance_of(pixels)


@pytest.mark.parametrize("size_px", [(1920, 1080), (1280, 720), (640, 360), (333, 251), (3840, 2160), (700, 1300)])
def test_a_picture_lies_in_the_batch_as_the_processor_puts_it_there(decoder: TorchDecoder, size_px: SizePx) -> None:
    letterbox = fit(size_px, long_side_px=800, stride=32)
    jpegs = [_scene(size_px, seed) for seed in range(2)]
    batch, glances = decoder.batch(jpegs, [letterbox] * 2)
    for there, glance, jpeg in zip(batch.numpy(), glances.numpy(), jpegs, strict=True):
        here, own_glance = _here(jpeg, letterbox)
        apart = np.abs(there.astype(int) - here)
        assert apart.mean() < 1.0
        assert np.percentile(apart, 99) <= 10
        assert np.abs(glance.astype(int) - own_glance).mean() < 2.0
        x0, y0 = letterbox.offset_px
        assert (there[:y0] == FILL).all()
        assert (there[:, :x0] == FILL).all()


def test_pictures_of_several_sizes_share_a_batch(decoder: TorchDecoder) -> None:
    sizes_px = [(1920, 1080), (1600, 900), (1920, 1080)]
    letterboxes = [fit(size_px, long_side_px=800, stride=32) for size_px in sizes_px]
    jpegs = [_scene(size_px, seed) for seed, size_px in enumerate(sizes_px)]
    batch, _ = decoder.batch(jpegs, letterboxes)
    for there, jpeg, letterbox in zip(batch.numpy(), jpegs, letterboxes, strict=True):
        assert np.abs(there.astype(int) - _here(jpeg, letterbox)[0]).mean() < 1.0


def test_a_picture_that_cannot_be_decoded_is_an_error_of_the_batch(decoder: TorchDecoder) -> None:
    letterbox = fit((640, 360), long_side_px=800, stride=32)
    torn = _scene((640, 360))[:300] + b"\xff\xd9"
    with pytest.raises(RuntimeError):
        decoder.batch([_scene((640, 360)), torn[:30]], [letterbox] * 2)


def test_a_picture_of_another_size_than_its_header_says_is_an_error(decoder: TorchDecoder) -> None:
    with pytest.raises(RuntimeError, match="the header says"):
        decoder.batch([_scene((640, 360))], [fit((640, 480), long_side_px=800, stride=32)])
