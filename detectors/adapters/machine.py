"""Looks at what there is to run on. Heavy packages are only loaded where the answer needs them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from detectors.engines import Engine, Machine

_MODULES = {Engine.OPENVINO: "openvino", Engine.TORCH: "ultralytics", Engine.ONNXRUNTIME: "onnxruntime"}
_DRIVER = Path("/proc/driver/nvidia/version")


def look_at_machine() -> Machine:
    """Engines and GPUs of this machine."""
    installed = frozenset(engine for engine, module in _MODULES.items() if _is_there(module))
    gpus, problem = _nvidia(has_torch=Engine.TORCH in installed)
    return Machine(installed=installed, nvidia_gpus=gpus, nvidia_problem=problem, has_intel_gpu=_has_intel_gpu())


def _nvidia(*, has_torch: bool) -> tuple[tuple[str, ...], str]:
    """Names of the usable GPUs, and why there is none."""
    if not _DRIVER.exists():
        return (), "no NVIDIA GPU found"
    if not has_torch:
        return (), f"there is an NVIDIA GPU, but no torch to use it: pip install {Engine.TORCH.package}"
    import torch  # noqa: PLC0415  takes seconds, and comes with the extra

    if not torch.cuda.is_available():
        return (), f"torch {torch.__version__} cannot use the NVIDIA GPU; its driver may be too old"
    return tuple(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())), ""


def _has_intel_gpu() -> bool:
    import openvino  # noqa: PLC0415  an engine, loaded where it is used

    return any(name.split(".")[0] == "GPU" for name in openvino.Core().available_devices)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a module that a test has taken away
        return False
