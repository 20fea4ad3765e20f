"""Writes a training set: pictures cut to size, labels, the classes' names, and where every label comes from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import yaml  # type: ignore[import-untyped]  # its stubs are one more package for one call

from detectors.training.boxes import Image
from detectors.training.cutting import Tile, blank, tiles
from detectors.training.errors import DataFolderError
from detectors.training.labels import Labels, format_labels
from detectors.training.pseudo import Opinion

PSEUDO_FILE = "pseudo.jsonl"
REPORT_FILE = "report.json"

_TILE_QUALITY = 95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingPicture:
    """A picture with all that is known of it.

    name:    as reports call it; path: its file; stem: the wanted name of what is written
    human:   what people labelled, or what is exactly known; opinion: what the teachers add and doubt
    times:   how often it counts in one epoch
    """

    name: str
    path: Path
    stem: str
    image: Image
    human: Labels
    opinion: Opinion
    times: int = 1


@contextmanager
def building(out: Path) -> Iterator[Path]:
    """A folder `<out>.partial` to write into; it becomes `out` at the end, and goes away when anything fails.

    Raises DataFolderError when `out` holds something, or another run left or is writing the partial folder.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        what = "already holds a training set" if (out / "data.yaml").is_file() else "is there and not empty"
        raise DataFolderError(out, f"{what}; give a new folder or remove it")
    partial = out.with_name(f"{out.name}.partial")
    try:
        partial.mkdir(parents=True)
    except FileExistsError:
        problem = "another run is writing it or was killed; wait for it, or remove the folder"
        raise DataFolderError(partial, problem) from None
    try:
        yield partial
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


@dataclass(slots=True)
class SetWriter:
    """Fills the folder of a set.

    class_names: names of the network's outputs by class id, in output order
    """

    folder: Path
    class_names: Mapping[int, str]
    seen_px: int
    tile_px: int
    _stems: set[str] = field(default_factory=set)
    _pseudo_lines: list[str] = field(default_factory=list)
    _dev_groups: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for kind in ("images", "labels"):
            (self.folder / kind / "train").mkdir(parents=True, exist_ok=True)

    def add(self, picture: TrainingPicture) -> int:
        """Write a training picture, its doubts painted over; returns how many files it became."""
        labels, doubtful = picture.human.plus(picture.opinion.labels), picture.opinion.doubtful
        clean = blank(picture.image, doubtful, labels) if len(doubtful) else picture.image
        pieces = list(tiles(clean, labels, seen_px=self.seen_px, tile_px=self.tile_px))
        endings = [
            ((f"_t{number}" if number else "") + (f"_{copy}" if copy else ""), piece)
            for number, piece in enumerate(pieces)
            for copy in range(picture.times)
        ]
        stem = self._free_stem(picture.stem, [ending for ending, _ in endings])
        for ending, piece in endings:
            self._write_piece(picture, piece, stem + ending)
        return len(endings)

    def add_dev(self, group: str, path: Path, labels: Labels) -> None:
        """Put a picture aside with the labels that people made, and no others."""
        split = self.folder / "dev" / group / "val"
        if group not in self._dev_groups:
            self._dev_groups.append(group)
            for kind in ("images", "labels"):
                (split / kind).mkdir(parents=True)
        stem = self._free_stem(path.stem, [""], inside=f"dev/{group}/")
        (split / "images" / f"{stem}{path.suffix}").symlink_to(path.resolve())
        (split / "labels" / f"{stem}.txt").write_text(self._format(labels), encoding="utf-8")

    def finish(self, report: Mapping[str, object]) -> None:
        """Write what belongs to the whole set: data.yaml, the origin of pseudo-labels, the report."""
        dev = [f"dev/{group}/val/images" for group in self._dev_groups]
        names = dict(enumerate(self.class_names.values()))
        content = {"train": "images/train", "val": dev or "images/train", "names": names}
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (self.folder / "data.yaml").write_text(text, encoding="utf-8")
        if dev:
            listed = "".join(f"{name}\n" for name in names.values())
            (self.folder / "dev" / "classes.txt").write_text(listed, encoding="utf-8")
        (self.folder / PSEUDO_FILE).write_text("".join(self._pseudo_lines), encoding="utf-8")
        (self.folder / REPORT_FILE).write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")

    def _write_piece(self, picture: TrainingPicture, piece: Tile, stem: str) -> None:
        is_untouched = piece.image is picture.image
        target = self.folder / "images" / "train" / (stem + (picture.path.suffix if is_untouched else ".jpg"))
        if is_untouched:
            target.symlink_to(picture.path.resolve())
        else:
            _, jpeg = cv2.imencode(".jpg", piece.image, [cv2.IMWRITE_JPEG_QUALITY, _TILE_QUALITY])
            target.write_bytes(jpeg.tobytes())
        (self.folder / "labels" / "train" / f"{stem}.txt").write_text(self._format(piece.labels), encoding="utf-8")
        self._note_pseudo(picture, piece, target.name)

    def _note_pseudo(self, picture: TrainingPicture, piece: Tile, file: str) -> None:
        for line, row in enumerate(piece.rows.tolist(), start=1):
            by_teacher = row - len(picture.human)
            if by_teacher < 0:
                continue
            fact = {
                "image": file,
                "line": line,
                "class": self.class_names[int(piece.labels.class_id[line - 1])],
                "xyxy": [round(side, 6) for side in piece.labels.xyxy[line - 1].tolist()],
                "confidence": [round(value, 3) for value in picture.opinion.confidence[by_teacher].tolist()],
                "source": picture.name,
            }
            self._pseudo_lines.append(json.dumps(fact, ensure_ascii=False) + "\n")

    def _free_stem(self, stem: str, endings: Sequence[str], inside: str = "") -> str:
        """A name that no other picture of the set took: the wanted one, or that with a number."""
        number = 1
        wanted = stem
        while self._stems.intersection(inside + stem + ending for ending in endings):
            number += 1
            stem = f"{wanted}_n{number}"
        self._stems.update(inside + stem + ending for ending in endings)
        return stem

    def _format(self, labels: Labels) -> str:
        numbers = {class_id: number for number, class_id in enumerate(self.class_names)}
        return format_labels(labels, numbers)
