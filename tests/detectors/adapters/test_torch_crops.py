"""Pixels of boxes fetched by torch, on CPU tensors: what the processor's path fetches, to two grey levels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from detectors.appearance import appearances, crops

torch = pytest.importorskip("torch", reason="needs the extra: pip install street721[train]")

from detectors.adapters.torch_crops import torch_crops  # noqa: E402  after the check that torch is there


def test_crops_are_those_of_the_processor() -> None:
    chance = np.random.default_rng(3)
    rough = chance.integers(0, 256, (3, 20, 32, 3), np.uint8)
    pictures = np.stack([cv2.resize(one, (512, 320), interpolation=cv2.INTER_CUBIC) for one in rough])
    first = chance.uniform((-20, -20), (400, 250), (200, 2))
    boxes = np.hstack((first, first + chance.uniform(5, 140, (200, 2)))).astype(np.float32)
    owner = chance.integers(0, 3, 200).astype(np.intp)
    here, there = crops(pictures, owner, boxes), torch_crops(torch, torch.from_numpy(pictures), owner, boxes)
    assert np.abs(here.astype(int) - there.astype(int)).max() <= 6
    assert np.abs(here.astype(int) - there.astype(int)).mean() < 0.6
    alike = (appearances(here).astype(float) * appearances(there)).sum(axis=1) / 254**2
    assert alike.min() > 0.97


def test_no_boxes_give_no_crops() -> None:
    picture = torch.zeros((1, 32, 64, 3), dtype=torch.uint8)
    assert torch_crops(torch, picture, np.empty(0, np.intp), np.empty((0, 4), np.float32)).shape == (0, 32, 32)
