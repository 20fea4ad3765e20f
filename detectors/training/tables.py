"""An evaluation as Markdown tables for a terminal, one model in full or several side by side."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.training.bootstrap import Interval
from detectors.training.evaluate import ALL_GROUPS, Evaluation, Table
from detectors.training.figures import Figures

NONE = "–"


def format_table(evaluation: Evaluation) -> str:
    """What was measured, then the figures per group and class, per object size, and by day and night."""
    parts = [
        headline(evaluation),
        _table(evaluation.groups, "group", evaluation.min_iou),
        _table(evaluation.sizes, "size", evaluation.min_iou),
        _table(evaluation.light, "light", evaluation.min_iou),
        *([*evaluation.problems] and ["Not used:\n" + "\n".join(f"- {line}" for line in evaluation.problems)]),
    ]
    return "\n\n".join(parts) + "\n"


def format_side_by_side(evaluations: Sequence[Evaluation]) -> str:
    """One row per group and class, one column per model: precision / recall / AP50."""
    lines = ["Precision / recall / AP50 of each model:", ""]
    lines.append(_row(["group", "class", "n", *(one.model for one in evaluations)]))
    lines.append(_rule(3 + len(evaluations)))
    lines += [_row([ALL_GROUPS, name, "", *(_mean(one, index) for one in evaluations)]) for index, name in _MEANS]
    for group, name in shared_rows(evaluations):
        rows = [one.groups.get(group, {}).get(name) for one in evaluations]
        count = next(str(row.n) for row in rows if row is not None)
        lines.append(_row([group, name, count, *(three_figures(row) for row in rows)]))
    return "\n".join(lines) + "\n"


def headline(evaluation: Evaluation) -> str:
    """Model, input, pictures, the overlap that counts, mean average precision and where the thresholds come from."""
    map50, map50_95 = evaluation.mean_ap()
    return (
        f"{evaluation.model} at {evaluation.input_px} px, {evaluation.pictures} pictures of {evaluation.split}, "
        f"IoU {evaluation.min_iou}: mAP50 {map50:.3f}, mAP50-95 {map50_95:.3f} over "
        f"{len(evaluation.averaged())} classes. {thresholds_note(evaluation)}"
    )


def thresholds_note(evaluation: Evaluation) -> str:
    """Says which thresholds were chosen on the very pictures that are scored."""
    if not evaluation.chosen:
        return "Thresholds: the model card's."
    which = "all" if set(evaluation.averaged()) <= set(evaluation.chosen) else ", ".join(evaluation.chosen)
    return f"Thresholds chosen on these very pictures, none being given: {which}."


def shared_rows(evaluations: Sequence[Evaluation]) -> list[tuple[str, str]]:
    """Every (group, class) that one of the evaluations has, in the order in which they come."""
    return list(
        dict.fromkeys((group, name) for one in evaluations for group, rows in one.groups.items() for name in rows)
    )


def three_figures(row: Figures | None) -> str:
    """Precision / recall / AP50 of a cell."""
    if row is None:
        return NONE
    return f"{fraction(row.precision, row.found)} / {fraction(row.recall, row.n)} / {fraction(row.ap50, row.n)}"


def fraction(value: float, of: int, spread: Interval | None = None) -> str:
    """0.713 (0.65–0.77), or a dash for a fraction of nothing."""
    if not of:
        return NONE
    return f"{value:.3f}" + ("" if spread is None else f" ({spread[0]:.2f}–{spread[1]:.2f})")


def threshold_text(row: Figures) -> str:
    """The threshold, or the word that stands for each class's own."""
    return "own" if row.threshold is None else f"{row.threshold:.2f}"


def _table(table: Table, part: str, min_iou: float) -> str:
    is_other_iou = min_iou != 0.5
    columns = [part, "class", "n", "threshold", "precision", "recall", "F1", "AP50", "AP50-95"]
    columns += [f"AP{round(min_iou * 100)}"] if is_other_iou else []
    lines = [_row(columns), _rule(len(columns))]
    for title, rows in table.items():
        for name, row in rows.items():
            cells = [
                title,
                name,
                str(row.n),
                threshold_text(row),
                fraction(row.precision, row.found, row.precision_95),
                fraction(row.recall, row.n, row.recall_95),
                fraction(row.f1, row.n + row.found, row.f1_95),
                fraction(row.ap50, row.n),
                fraction(row.ap50_95, row.n),
            ]
            lines.append(_row(cells + ([fraction(row.ap, row.n)] if is_other_iou else [])))
    return "\n".join(lines)


_MEANS = ((0, "mAP50"), (1, "mAP50-95"))


def _mean(evaluation: Evaluation, index: int) -> str:
    return f"{evaluation.mean_ap()[index]:.3f} of {len(evaluation.averaged())}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns
