"""Which engine runs a model, on which device, from which of its files: a pure choice with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from detectors.errors import DeviceError, ModelError

DEVICES = "auto, cpu, gpu, cuda:0 (the number of an NVIDIA GPU)"
_CUDA = re.compile(r"cuda:(\d{1,2})")


class Engine(StrEnum):
    """What can run a network, with the files that each reads."""

    OPENVINO = "openvino"
    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of weights files, the better one first."""
        return _SUFFIXES[self]

    @property
    def package(self) -> str:
        """What to install for it."""
        return _PACKAGES[self]


_SUFFIXES = {
    Engine.OPENVINO: (".xml", ".onnx"),
    Engine.TORCH: (".pt",),
    Engine.ONNXRUNTIME: (".onnx",),
}
_PACKAGES = {
    Engine.OPENVINO: "openvino",
    Engine.TORCH: "street721[train]",
    Engine.ONNXRUNTIME: "street721[onnxruntime]",
}
WEIGHTS_SUFFIXES = tuple(dict.fromkeys(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is there to run on.

    installed:      engines whose packages are there
    nvidia_gpus:    names of the GPUs that torch can use
    nvidia_problem: why there is none of them
    has_intel_gpu:  whether OpenVINO has a GPU
    """

    installed: frozenset[Engine]
    nvidia_gpus: tuple[str, ...] = ()
    nvidia_problem: str = "no NVIDIA GPU found"
    has_intel_gpu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """device: cpu, gpu (Intel, by OpenVINO) or cuda:N; reason: a few words for the log"""

    engine: Engine
    weights: Path
    device: str
    reason: str


def engine_named(name: str) -> Engine | None:
    """The engine of that name, None for `auto`; raises ModelError."""
    if name == "auto":
        return None
    if name not in set(Engine):
        raise ModelError(f"engine {name!r}", f"no such engine; right would be auto, {', '.join(Engine)}")
    return Engine(name)


def choose_engine(
    files: Sequence[Path], machine: Machine, *, device: str = "auto", engine: Engine | None = None
) -> Choice:
    """The engine and device for a model that lies in `files`, the main one first.

    An NVIDIA GPU is taken where there is one and a form of the model that runs on it; otherwise the processor.
    Raises DeviceError for a device that is not there, ModelError when no file suits the engine.
    """
    forms = _forms(files)
    if device in {"auto", "gpu"} or _CUDA.fullmatch(device):
        return _on_gpu(forms, machine, device, engine) or _on_cpu(files, forms, machine, device, engine)
    if device == "cpu":
        return _on_cpu(files, forms, machine, device, engine)
    raise DeviceError(device, f"not known here; right would be one of {DEVICES}")


def _forms(files: Sequence[Path]) -> dict[Engine, Path]:
    """The file that each engine would read."""
    forms: dict[Engine, Path] = {}
    for engine in Engine:
        by_suffix = {file.suffix: file for file in reversed(files)}
        found = [by_suffix[suffix] for suffix in engine.suffixes if suffix in by_suffix]
        if found:
            forms[engine] = found[0]
    return forms


def _on_gpu(forms: Mapping[Engine, Path], machine: Machine, device: str, engine: Engine | None) -> Choice | None:
    """A GPU if one can be used, None when auto should go on; raises DeviceError where one was asked for."""
    problem = _nvidia_problem(forms, machine, engine)
    if problem is None:
        number = int(match[1]) if (match := _CUDA.fullmatch(device)) else 0
        if number >= len(machine.nvidia_gpus):
            raise DeviceError(device, f"there are {len(machine.nvidia_gpus)} NVIDIA GPUs; the first is cuda:0")
        name = machine.nvidia_gpus[number]
        return Choice(engine=Engine.TORCH, weights=forms[Engine.TORCH], device=f"cuda:{number}", reason=name)
    if device == "auto":
        return None
    if device == "gpu" and machine.has_intel_gpu and engine in {None, Engine.OPENVINO} and Engine.OPENVINO in forms:
        return Choice(engine=Engine.OPENVINO, weights=forms[Engine.OPENVINO], device="gpu", reason="asked for")
    raise DeviceError(device, f"{problem}; auto or cpu is right here")


def _nvidia_problem(forms: Mapping[Engine, Path], machine: Machine, engine: Engine | None) -> str | None:
    if engine not in {None, Engine.TORCH}:
        return f"{engine} does not run on NVIDIA GPUs here"
    if not machine.nvidia_gpus:
        return machine.nvidia_problem
    if Engine.TORCH not in forms:
        return "an NVIDIA GPU wants a checkpoint (.pt), and this model has none"
    return None


def _on_cpu(
    files: Sequence[Path], forms: Mapping[Engine, Path], machine: Machine, device: str, engine: Engine | None
) -> Choice:
    chosen = engine or _usual_engine(files[0])
    if chosen not in forms:
        endings = " or ".join(chosen.suffixes)
        raise ModelError(str(files[0]), f"{chosen} reads {endings}; this model has {', '.join(f.name for f in files)}")
    if chosen not in machine.installed:
        raise ModelError(
            str(forms[chosen]),
            f"needs {chosen}, which is not installed: pip install '{chosen.package}'{_other(files[0])}",
        )
    reason = "asked for" if device == "cpu" else machine.nvidia_problem
    if machine.nvidia_gpus and device == "auto":
        reason = _nvidia_problem(forms, machine, engine) or reason
    return Choice(engine=chosen, weights=forms[chosen], device="cpu", reason=reason)


def _usual_engine(file: Path) -> Engine:
    for engine in Engine:
        if file.suffix in engine.suffixes:
            return engine
    raise ModelError(str(file), f"no engine for {file.suffix!r}; right would be {', '.join(WEIGHTS_SUFFIXES)}")


def _other(file: Path) -> str:
    return ", or give its .onnx" if file.suffix == ".pt" else ""
