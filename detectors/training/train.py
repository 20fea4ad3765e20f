"""Trains the street model on a prepared folder through ultralytics, on a CPU or an NVIDIA GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from detectors.training.errors import DataFolderError, ModelFileError
from detectors.training.weights import open_checkpoint, open_start


def train(
    data: Path,
    start: Path,
    *,
    out: Path,
    epochs: int,
    imgsz: int = 416,
    batch: int = 16,
    device: str = "cpu",
    seed: int = 0,
    learning_rate: float = 1e-3,
    frozen_layers: int = 0,
    threads: int = 2,
    workers: int = 2,
    resume: bool = False,
) -> Path:
    """Fine-tune `start` on the folder that `prepare` built; returns the last checkpoint.

    data:          the prepared folder (it holds data.yaml)
    start:         an ultralytics checkpoint, or the bare tensors (a state dict) of YOLOv5n's backbone and neck
    out:           run folder: weights/last.pt after every epoch, results.csv, args.yaml
    frozen_layers: the first layers stay as they are; 3 saves about a quarter of a CPU step
    resume:        go on from out/weights/last.pt; everything else then comes from that run

    The last checkpoint, an average over the cosine's tail, is the model: choosing the best epoch on the
    validation pictures would flatter every figure measured on them.
    Raises ExtraMissingError, DataFolderError or ModelFileError, each one clear line.
    """
    last = out / "weights" / "last.pt"
    weights = last if resume else start
    _check_inputs(data, weights, resume=resume)
    model = open_checkpoint(weights) if resume else open_start(weights)
    model.add_callback("on_pretrain_routine_start", lambda trainer: _use_workers(trainer, workers))
    model.add_callback("on_train_start", lambda trainer: _use_processor(trainer, threads))
    if resume:
        model.train(resume=True)
        return last
    model.train(
        data=str((data / "data.yaml").resolve()),
        project=str(out.resolve().parent),
        name=out.name,
        exist_ok=True,
        epochs=epochs,
        imgsz=imgsz,
        batch=batch,
        nbs=batch,  # one optimiser step per batch: a short run has no steps to give away
        device=device,
        seed=seed,
        deterministic=True,
        workers=workers,
        cache="ram",
        optimizer="AdamW",
        lr0=learning_rate,
        lrf=0.02,
        cos_lr=True,
        warmup_epochs=0.5,
        warmup_bias_lr=0.0,  # the default jumps to 0.1 and would undo what the start weights know
        freeze=frozen_layers or None,
        close_mosaic=max(1, epochs // 8),
        amp=device != "cpu",
        val=True,
        plots=True,
        save_period=1,
    )
    return last


def _check_inputs(data: Path, weights: Path, *, resume: bool) -> None:
    if not resume and not (data / "data.yaml").is_file():
        raise DataFolderError(data, "holds no data.yaml; expected a folder built by prepare")
    if not weights.is_file():
        hint = "nothing to resume; start a run first" if resume else "expected ultralytics weights (.pt)"
        raise ModelFileError(weights, f"no such file; {hint}")


def _use_workers(trainer: Any, workers: int) -> None:
    """On a CPU ultralytics loads pictures between the steps; a third of the time goes to waiting for them."""
    trainer.args.workers = workers


def _use_processor(trainer: Any, threads: int) -> None:
    """Ultralytics leaves one core unused, which halves the speed of a two-core machine; and lays pictures out
    channel by channel, which costs another fifth there."""
    import torch  # noqa: PLC0415  comes with the extra

    if trainer.device.type == "cpu":
        torch.set_num_threads(threads)
        trainer.model.to(memory_format=torch.channels_last)
