"""An evaluation to read: one folder with `report.html` and the drawn mistakes, which needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

import numpy as np

from detectors.training.evaluate import ALL_GROUPS, NIGHT_BELOW_LUMA, Evaluation, Table
from detectors.training.figures import Figures
from detectors.training.mistake_pictures import save_mistake
from detectors.training.mistakes import Confusion, Mistake, Wrong
from detectors.training.observing import FLOOR, MAX_DETECTIONS
from detectors.training.plots import COLOURS, Line, line_chart
from detectors.training.records import VEHICLE
from detectors.training.report_cells import caption, html_table, named, part, with_interval
from detectors.training.report_style import STYLE
from detectors.training.scoring import Scored, precision_recall
from detectors.training.tables import NONE, fraction, headline, shared_rows, threshold_text

PAGE = "report.html"
PICTURES = "pictures"

FEW = 30
"""Figures of fewer labelled things are shown in grey."""

_WRONG = {Wrong.FALSE_ALARM: "误检 false alarms, surest first", Wrong.MISSED: "漏检 missed, largest first"}


def write_report(evaluations: Sequence[Evaluation], folder: Path, *, data: str) -> Path:
    """Write the page and the drawn mistakes of every model; returns the page.

    data: what the pictures are, for the title. Pictures of an earlier report in the folder are replaced.
    """
    pictures = folder / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*.jpg"):
        old.unlink()
    galleries = []
    for number, evaluation in enumerate(evaluations):
        names = [f"{number}-{row:03d}-{one.name}-{one.wrong}.jpg" for row, one in enumerate(evaluation.mistakes)]
        for name, mistake in zip(names, evaluation.mistakes, strict=True):
            save_mistake(mistake, pictures / name)
        galleries.append(names)
    page = folder / PAGE
    page.write_text(render(evaluations, galleries, data=data), encoding="utf-8")
    return page


def render(evaluations: Sequence[Evaluation], galleries: Sequence[Sequence[str]], *, data: str) -> str:
    """The page as HTML; galleries: file names of each evaluation's drawn mistakes."""
    title = f"检测模型评测 {data}"
    first = evaluations[0]
    parts = [
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>',
        f"<h1>{escape(title)}</h1>",
        f'<p class="dim">Evaluation on {escape(data)}, split {escape(first.split)}, {first.pictures} pictures; '
        f"a detection is right from IoU {first.min_iou} on.</p>",
        _navigation(evaluations),
        _side_by_side(evaluations),
        _curves_of_all(evaluations),
        *(_model(number, one, names) for number, (one, names) in enumerate(zip(evaluations, galleries, strict=True))),
        _how_it_was_measured(),
        "</body></html>",
    ]
    return "\n".join(parts)


def _navigation(evaluations: Sequence[Evaluation]) -> str:
    links = "".join(f'<a href="#m{number}">{escape(one.model)}</a>' for number, one in enumerate(evaluations))
    return f'<nav>{links}<a href="#how">如何测量 how it was measured</a></nav>'


def _side_by_side(evaluations: Sequence[Evaluation]) -> str:
    body: list[list[str]] = []
    faint: list[int] = []
    for label, index in (("mAP50", 0), ("mAP50-95", 1)):
        means = [f"{one.mean_ap()[index]:.3f}<small>{len(one.averaged())} classes</small>" for one in evaluations]
        body.append([f"<b>{label}</b>", "", "", *means])
    for group, name in shared_rows(evaluations):
        rows = [one.groups.get(group, {}).get(name) for one in evaluations]
        count = next(str(row.n) for row in rows if row is not None)
        if int(count) < FEW:
            faint.append(len(body))
        body.append([part(group), named(name), count, *(_headline_cell(row) for row in rows)])
    head = ["图片组 group", "类别 class", "n", *(escape(one.model) for one in evaluations)]
    note = (
        "Precision / recall at the threshold, with AP50 and F1 below; n counts labelled things. "
        f"Grey: fewer than {FEW} of them, a rough figure."
    )
    return f'<h2>总览 Headline</h2><p>{note}</p><div class="two">{html_table(head, body, faint=faint)}</div>'


def _headline_cell(row: Figures | None) -> str:
    if row is None:
        return NONE
    return (
        f"{fraction(row.precision, row.found)} / {fraction(row.recall, row.n)}"
        f"<small>AP50 {fraction(row.ap50, row.n)}, F1 {fraction(row.f1, row.n + row.found)}</small>"
    )


def _curves_of_all(evaluations: Sequence[Evaluation]) -> str:
    key = "".join(
        f'<span><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{escape(one.model)}</span>'
        for number, one in enumerate(evaluations)
    )
    names = dict.fromkeys(name for one in evaluations for name in one.curves)
    charts = "".join(f"<figure>{_recall_chart(name, evaluations)}{caption(name)}</figure>" for name in names)
    return (
        "<h2>精确率与召回率 Precision against recall</h2><p>The dot is where the threshold stands.</p>"
        f'<p class="key">{key}</p><div class="charts">{charts}</div>'
    )


def _recall_chart(name: str, evaluations: Sequence[Evaluation]) -> str:
    lines = []
    for one in evaluations:
        if name not in one.curves:
            lines.append(Line(label=one.model, x=np.empty(0), y=np.empty(0)))
            continue
        precision, recall, _ = precision_recall(one.curves[name])
        row = one.groups[ALL_GROUPS].get(name)
        dot = (row.recall, row.precision) if row and row.found else None
        lines.append(Line(label=one.model, x=recall, y=precision, dot=dot))
    return line_chart(lines, title=f"{name}: precision against recall", x_label="recall", y_label="precision")


def _model(number: int, evaluation: Evaluation, names: Sequence[str]) -> str:
    parts = [
        f'<section><h2 id="m{number}">{escape(evaluation.model)}</h2><p>{escape(headline(evaluation))}</p>',
        "<h3>各组各类 Per group and class, with 95 % intervals</h3>",
        _figure_table(evaluation, evaluation.groups, "图片组 group"),
        "<h3>按目标大小 By object size</h3>",
        _figure_table(evaluation, evaluation.sizes, "大小 size"),
        "<h3>白天与夜间 By day and night</h3>",
        _figure_table(evaluation, evaluation.light, "光线 light"),
        _threshold_charts(evaluation),
        "" if evaluation.confusion is None else _confusion(evaluation.confusion),
        _mistakes(evaluation.mistakes, names),
        _problems(evaluation.problems),
    ]
    return "\n".join(parts) + "</section>"


def _figure_table(evaluation: Evaluation, table: Table, first: str) -> str:
    is_other_iou = evaluation.min_iou != 0.5
    head = [first, "类别 class", "n", "阈值 threshold", "精确率 precision", "召回率 recall", "F1", "AP50", "AP50-95"]
    head += [f"AP{round(evaluation.min_iou * 100)}"] if is_other_iou else []
    body: list[list[str]] = []
    faint: list[int] = []
    for title, rows in table.items():
        for name, row in rows.items():
            if row.n < FEW:
                faint.append(len(body))
            cells = [part(title), named(name), str(row.n), threshold_text(row)]
            cells += [
                with_interval(row.precision, row.found, row.precision_95),
                with_interval(row.recall, row.n, row.recall_95),
                with_interval(row.f1, row.n + row.found, row.f1_95),
                fraction(row.ap50, row.n),
                fraction(row.ap50_95, row.n),
            ]
            body.append(cells + ([fraction(row.ap, row.n)] if is_other_iou else []))
    return html_table(head, body, faint=faint)


def _threshold_charts(evaluation: Evaluation) -> str:
    key = "".join(
        f'<span><i style="background:{colour}"></i>{text}</span>'
        for colour, text in zip(COLOURS, ("精确率 precision", "召回率 recall"), strict=False)
    )
    charts = []
    for name, curve in evaluation.curves.items():
        row = evaluation.groups[ALL_GROUPS].get(name)
        charts.append(f"<figure>{_threshold_chart(name, curve, row)}{caption(name, _balance(row))}</figure>")
    return (
        "<h3>随阈值变化 Against the threshold</h3><p>The dashed line is the threshold in use.</p>"
        f'<p class="key">{key}</p><div class="charts">{"".join(charts)}</div>'
    )


def _threshold_chart(name: str, curve: Scored, row: Figures | None) -> str:
    precision, recall, confidence = precision_recall(curve)
    x = confidence.astype(np.float64)
    lines = [Line(label="precision", x=x, y=precision), Line(label="recall", x=x, y=recall)]
    mark = None if row is None else row.threshold
    return line_chart(
        lines, title=f"{name}: against the threshold", x_label="threshold", y_label="fraction", mark_x=mark
    )


def _balance(row: Figures | None) -> str:
    if row is None or not row.found:
        return ""
    return f"best min(precision, recall) here: {row.balance:.3f} at {row.balanced_at:.2f}"


def _confusion(confusion: Confusion) -> str:
    counts = confusion.counts
    shown = [row for row in range(len(counts)) if counts[row].any() or counts[:, row].any()]
    most = max(int(counts.max()), 1)
    body = [
        [named(confusion.names[row]), *(_shaded(int(counts[row, column]), most, row == column) for column in shown)]
        for row in shown
    ]
    note = (
        "Rows: what is labelled; columns: what was detected at the threshold. The last column counts what was "
        "missed, the last row false alarms. A class has no false alarms in folders that do not label it."
    )
    head = ["标注 \\ 检测", *(named(confusion.names[column]).replace(" ", "<br>", 1) for column in shown)]
    return f'<h3>混淆 Confusion</h3><p>{note}</p><div class="confusion">{html_table(head, body)}</div>'


def _shaded(count: int, most: int, is_right: bool) -> str:
    if not count:
        return "·"
    colour = "42,157,111" if is_right else "209,73,91"
    return f'<span style="background:rgba({colour},{0.6 * (count / most) ** 0.5:.2f})">{count}</span>'


def _mistakes(mistakes: Sequence[Mistake], names: Sequence[str]) -> str:
    note = (
        "Labelled boxes are white, right detections green, wrong ones orange, those of classes that the folder does "
        "not label grey; the thick box is the one meant. Labels are wrong at times too."
    )
    parts = [f"<h3>最严重的错误 The worst mistakes</h3><p>{note}</p>"]
    pairs = zip(mistakes, names, strict=True)
    for (name, wrong), group in groupby(pairs, key=lambda one: (one[0].name, one[0].wrong)):
        cards = "".join(_card(mistake, file) for mistake, file in group)
        parts.append(f'<h4>{named(name)}: {_WRONG[wrong]}</h4><div class="gallery">{cards}</div>')
    return "".join(parts)


def _card(mistake: Mistake, file: str) -> str:
    seen = mistake.pairs.observation
    x0, y0, x1, y1 = mistake.xyxy
    sure = "" if mistake.confidence is None else f"{mistake.confidence:.2f}, "
    facts = f"{sure}{x1 - x0:.0f} × {y1 - y0:.0f} px, {seen.group}/{seen.path.name}"
    return (
        f'<figure><img loading="lazy" src="{PICTURES}/{escape(file)}" alt="{escape(mistake.name)}">'
        f"<figcaption><b>{escape(mistake.reason)}</b><br><small>{escape(facts)}</small></figcaption></figure>"
    )


def _problems(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    return "<h3>未使用 Not used</h3><ul>" + "".join(f"<li>{escape(line)}</li>" for line in problems) + "</ul>"


def _how_it_was_measured() -> str:
    facts = [
        "Pictures go through the gateway's own decoding, network and suppression. Every box from confidence "
        f"{FLOOR} on is scored, at most {MAX_DETECTIONS} per picture.",
        "Precision and recall are of what the gateway shows: boxes above their thresholds, and of several readings of "
        "one thing (car and truck, bin and overflow) the surest. Average precision takes each class by itself.",
        "A folder counts only for the classes that it labels. Boxes are matched and AP is computed by COCO's rules "
        "(greedy by confidence, 101 recall points; AP50-95 is the mean over ten IoUs).",
        "Sizes are COCO's by the area of the box in pixels of the picture: small below 32², medium below 96², "
        "large from there on. A detection belongs to the size of the labelled box that it hits, a detection that "
        "hits none to its own.",
        f"A picture whose mean grey value is below {NIGHT_BELOW_LUMA:.0f} of 255 counts as night, dark places by day "
        "among them.",
        f"{VEHICLE} is car, motorcycle, bus, truck and van as one class, where a folder labels the first four; each "
        "box counts at the threshold of its own class.",
        "The intervals are 95 % bootstrap intervals: pictures are drawn again with replacement, every folder keeping "
        "its number. They tell what other pictures of the same sources might give, not other streets.",
    ]
    return '<h2 id="how">如何测量 How it was measured</h2>' + "".join(f"<p>{escape(fact)}</p>" for fact in facts)
