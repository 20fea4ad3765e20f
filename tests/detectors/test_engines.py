"""Which engine and device are taken, and the one line that says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.engines import Choice, Engine, Machine, choose_engine, engine_named
from detectors.errors import DeviceError, ModelError

XML, ONNX, PT = Path("m.xml"), Path("m.onnx"), Path("m.pt")
PC = Machine(installed=frozenset({Engine.OPENVINO}))
WORKBENCH = Machine(installed=frozenset(Engine))
SERVER = Machine(installed=frozenset(Engine), nvidia_gpus=("H100", "L4"), nvidia_problem="")


@pytest.mark.parametrize(
    ("files", "machine", "device", "engine", "expected"),
    [
        ([XML, PT], PC, "auto", None, (Engine.OPENVINO, XML, "cpu", "no NVIDIA GPU found")),
        ([XML, PT], PC, "cpu", None, (Engine.OPENVINO, XML, "cpu", "asked for")),
        ([ONNX], PC, "auto", None, (Engine.OPENVINO, ONNX, "cpu", "no NVIDIA GPU found")),
        ([PT], WORKBENCH, "auto", None, (Engine.TORCH, PT, "cpu", "no NVIDIA GPU found")),
        ([ONNX], WORKBENCH, "auto", Engine.ONNXRUNTIME, (Engine.ONNXRUNTIME, ONNX, "cpu", "no NVIDIA GPU found")),
        ([XML, PT, ONNX], WORKBENCH, "cpu", Engine.ONNXRUNTIME, (Engine.ONNXRUNTIME, ONNX, "cpu", "asked for")),
        ([XML, PT], SERVER, "auto", None, (Engine.TORCH, PT, "cuda:0", "H100")),
        ([XML, PT], SERVER, "gpu", None, (Engine.TORCH, PT, "cuda:0", "H100")),
        ([XML, PT], SERVER, "cuda:1", None, (Engine.TORCH, PT, "cuda:1", "L4")),
        ([XML, PT], SERVER, "cpu", None, (Engine.OPENVINO, XML, "cpu", "asked for")),
        (
            [XML], SERVER, "auto", None,
            (Engine.OPENVINO, XML, "cpu", "an NVIDIA GPU wants a checkpoint (.pt), and this model has none"),
        ),
        (
            [XML, PT], SERVER, "auto", Engine.OPENVINO,
            (Engine.OPENVINO, XML, "cpu", "openvino does not run on NVIDIA GPUs here"),
        ),
    ],
)  # fmt: skip
def test_the_best_that_is_there_is_taken_and_says_why(
    files: list[Path], machine: Machine, device: str, engine: Engine | None, expected: tuple[Engine, Path, str, str]
) -> None:
    chosen, weights, on, reason = expected
    assert choose_engine(files, machine, device=device, engine=engine) == Choice(
        engine=chosen, weights=weights, device=on, reason=reason
    )


def test_an_intel_gpu_is_taken_when_it_is_asked_for_only() -> None:
    laptop = Machine(installed=frozenset({Engine.OPENVINO}), has_intel_gpu=True)
    assert choose_engine([XML], laptop, device="gpu").device == "gpu"
    assert choose_engine([XML], laptop, device="auto").device == "cpu"


@pytest.mark.parametrize(
    ("files", "machine", "device", "said"),
    [
        ([XML], PC, "tpu", "device 'tpu': not known here; right would be one of auto, cpu, gpu, cuda:0"),
        ([XML], PC, "cuda", "device 'cuda': not known here"),
        ([XML, PT], PC, "gpu", "device 'gpu': no NVIDIA GPU found; auto or cpu is right here"),
        ([XML], SERVER, "cuda:0", "device 'cuda:0': an NVIDIA GPU wants a checkpoint"),
        ([PT], SERVER, "cuda:2", "device 'cuda:2': there are 2 NVIDIA GPUs; the first is cuda:0"),
    ],
)
def test_a_device_that_is_not_there_is_one_line(files: list[Path], machine: Machine, device: str, said: str) -> None:
    with pytest.raises(DeviceError) as caught:
        choose_engine(files, machine, device=device)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("files", "engine", "said"),
    [
        ([XML], Engine.ONNXRUNTIME, "m.xml: onnxruntime reads .onnx; this model has m.xml"),
        ([PT], Engine.OPENVINO, "m.pt: openvino reads .xml or .onnx; this model has m.pt"),
        ([PT], None, "m.pt: needs torch, which is not installed: pip install 'street721[train]', or give its .onnx"),
        ([ONNX], Engine.ONNXRUNTIME,
         "m.onnx: needs onnxruntime, which is not installed: pip install 'street721[onnxruntime]'"),
        ([Path("m.tflite")], None, "m.tflite: no engine for '.tflite'; right would be .xml, .onnx, .pt"),
    ],
)  # fmt: skip
def test_a_file_without_an_engine_is_one_line(files: list[Path], engine: Engine | None, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        choose_engine(files, PC, engine=engine)
    assert str(caught.value) == said


def test_engines_have_names() -> None:
    assert engine_named("auto") is None
    assert engine_named("torch") is Engine.TORCH
    with pytest.raises(
        ModelError, match="^engine 'tensorrt': no such engine; right would be auto, openvino, torch, onnxruntime"
    ):
        engine_named("tensorrt")
