"""The report on labelled pictures as tables for a person."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detectors.training.data_report import BuiltSet, DataReport, unknown_classes

_SHOWN = 20
"""So many problems and near-duplicates are listed; report.json and --json have them all."""


def print_report(report: DataReport, console: Console) -> None:
    """Groups, boxes per class, what was left out and why, and the set that was built."""
    source = report.survey.source
    for line in _layouts(report):
        console.print(Text(line))
    console.print(_pictures(report))
    console.print(_boxes(report))
    for group in source.groups:
        labelled, unlabelled = report.class_names(group)
        console.print(Text(f"{group.name} labels {_listed(labelled)}; it does not label {_listed(unlabelled)}."))
    _print_some(
        console,
        "near-duplicates",
        [
            f"{row.where}: {row.picture} = {row.twin} ({row.distance} of 256 bits differ)"
            for row in report.survey.near_duplicates
        ],
    )
    _print_some(console, "problems", [str(problem) for problem in report.problems])
    if report.built is not None:
        _print_built(console, report.built)


def _layouts(report: DataReport) -> Iterator[str]:
    source = report.survey.source
    for group in source.groups:
        yield f"{group.name}: {group.layout}; class names from {group.names.origin}"
        if unknown := unknown_classes(group):
            counts = ", ".join(f"{name} {count:,}" for name, count in unknown.items())
            yield f"  left out, no street class has these names (boxes): {counts}"
        if outlines := group.train.outlines + group.val.outlines:
            yield f"  {outlines} outlines taken as their bounding boxes"
        if group.unused:
            yield f"  not used: {_listed(group.unused)}"
    if source.unused:
        yield f"not used, no layout that is understood: {_listed(source.unused)}"


def _pictures(report: DataReport) -> Table:
    table = Table("group", "split", title="Pictures", title_justify="left", box=box.SIMPLE)
    for heading in ("pictures", "without\nlabels", "unusable", "near-\nduplicates", "crowds"):
        table.add_column(heading, justify="right")
    for group in report.survey.source.groups:
        for split, facts in report.survey.facts[group.name].items():
            counts = (facts.pictures, facts.without_labels, facts.unusable, facts.near_duplicates, facts.crowds)
            if facts.pictures:
                table.add_row(group.name, split, *(f"{count:,}" for count in counts))
    return table


def _boxes(report: DataReport) -> Table:
    """One row per class; pseudo-labels and doubts only where a set was built."""
    table = Table("class", "", title="Boxes", title_justify="left", box=box.SIMPLE)
    columns = list(_box_columns(report))
    for heading, _ in columns:
        table.add_column(heading, justify="right")
    for class_id in _class_ids(report):
        row = report.survey.source.table.by_id[class_id]
        cells = (counts.get(row.name, 0) for _, counts in columns)
        table.add_row(row.name, row.name_zh, *(f"{count:,}" if count else "·" for count in cells))
    return table


def _class_ids(report: DataReport) -> list[int]:
    """The classes of the set, and those that only validation pictures show."""
    groups = report.survey.source.groups
    return sorted(set(report.survey.class_ids()).union(*(group.val.labelled() for group in groups)))


def _box_columns(report: DataReport) -> Iterator[tuple[str, dict[str, int]]]:
    for group in report.survey.source.groups:
        for split, facts in report.survey.facts[group.name].items():
            if facts.pictures:
                yield f"{group.name}\n{split}", facts.boxes
        if report.built is not None:
            yield f"{group.name}\npseudo", report.built.groups[group.name].pseudo_boxes


def _print_some(console: Console, what: str, lines: list[str]) -> None:
    if not lines:
        console.print(Text(f"{what}: none"))
        return
    console.print(Text(f"{what}: {len(lines)}"))
    for line in lines[:_SHOWN]:
        console.print(Text(f"  {line}"))
    if len(lines) > _SHOWN:
        console.print(Text(f"  … and {len(lines) - _SHOWN} more; --json and report.json list them all"))


def _print_built(console: Console, built: BuiltSet) -> None:
    table = Table("group", title=f"Training set {built.folder}", title_justify="left", box=box.SIMPLE)
    for heading in ("pictures", "times", "files", "kept\nfor dev", "human\nboxes", "pseudo\nboxes", "doubtful\nboxes"):
        table.add_column(heading, justify="right")
    for name, group in built.groups.items():
        boxes, pseudo = sum(group.boxes.values()), sum(group.pseudo_boxes.values())
        counts = (group.pictures, group.repeat, group.files, group.dev_pictures, boxes, pseudo, group.doubtful_boxes)
        table.add_row(name, *(f"{count:,}" for count in counts))
    console.print(table)
    console.print(Text(f"classes: {', '.join(built.classes)}"))
    console.print(Text(f"look at {built.folder / 'samples'}: human boxes white, pseudo-labels coloured, doubts grey"))


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names) or "nothing"
