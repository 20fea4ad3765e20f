"""Post-training quantisation to int8 with NNCF, calibrated on training pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from detectors.letterbox import fit, write_into
from detectors.pixels import PixelForm, as_network_input
from detectors.training.boxes import F32
from detectors.training.errors import ExtraMissingError, ModelFileError

_STRIDE = 32
_LAYER = re.compile(r"/model\.(\d+)/")
# The head turns features into pixels and scores with these; eight bits would move boxes by pixels.
_EXACT_IN_HEAD = "Add|Sub|Mul|Div|Sigmoid|Concat|dfl"


def quantise(model: Path, out: Path, pictures: Sequence[Path], *, input_px: int) -> None:
    """Write the int8 form of an fp32 OpenVINO IR, its ranges taken from the given training pictures.

    Weights and activations of every convolution become eight bits; the arithmetic of the head stays exact.
    Raises ExtraMissingError without NNCF, ModelFileError when no picture can be read.
    """
    import openvino  # noqa: PLC0415  an inference engine, loaded where it is used

    try:
        import nncf  # noqa: PLC0415  comes with the extra
    except ImportError as error:
        raise ExtraMissingError("nncf") from error
    batches = list(_inputs(pictures, input_px))
    if not batches:
        raise ModelFileError(model, f"none of {len(pictures)} calibration pictures can be read")
    network = openvino.Core().read_model(model)
    names = [operation.get_friendly_name() for operation in network.get_ops()]
    smaller = nncf.quantize(
        network,
        nncf.Dataset(batches),
        subset_size=len(batches),
        preset=nncf.QuantizationPreset.MIXED,
        fast_bias_correction=True,
        ignored_scope=nncf.IgnoredScope(patterns=[head_pattern(names)], validate=False),
    )
    openvino.save_model(smaller, out, compress_to_fp16=False)


def head_pattern(names: Sequence[str]) -> str:
    """A pattern of the head's exact operations: the head is the last numbered layer of the network."""
    layers = [int(found.group(1)) for name in names if (found := _LAYER.search(name))]
    if not layers:
        raise ValueError("no operation is named /model.N/…; expected a network that ultralytics exported")
    return rf".*/model\.{max(layers)}/(.*/)?({_EXACT_IN_HEAD}).*"


def _inputs(pictures: Sequence[Path], input_px: int) -> Iterator[F32]:
    for path in pictures:
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        letterbox = fit((picture.shape[1], picture.shape[0]), long_side_px=input_px, stride=_STRIDE)
        batch = np.empty((1, letterbox.input_px[1], letterbox.input_px[0], 3), np.uint8)
        write_into(batch[0], np.asarray(picture, np.uint8), letterbox)
        yield as_network_input(batch, PixelForm.RGB_UNIT)
