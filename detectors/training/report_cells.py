"""Small pieces of the report page: names in two languages, cells with their interval, tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape

from detectors.classes import load_classes
from detectors.training.bootstrap import Interval
from detectors.training.evaluate import ALL_GROUPS
from detectors.training.mistakes import BACKGROUND
from detectors.training.records import VEHICLE
from detectors.training.tables import fraction

_ZH = {
    ALL_GROUPS: "全部", VEHICLE: "机动车合计", BACKGROUND: "背景", "small": "小目标", "medium": "中目标",
    "large": "大目标", "day": "白天", "night": "夜间",
}  # fmt: skip


def with_interval(value: float, of: int, spread: Interval | None) -> str:
    """A fraction with its interval in small print."""
    text = fraction(value, of)
    return text if spread is None or not of else f"{text} <small>{spread[0]:.2f}–{spread[1]:.2f}</small>"


def caption(name: str, text: str = "") -> str:
    """Below a chart: the class, and a remark."""
    small = f"<br><small>{escape(text)}</small>" if text else ""
    return f"<figcaption><b>{named(name)}</b>{small}</figcaption>"


def named(name: str) -> str:
    """A class, Chinese first, English second."""
    known = load_classes().by_name.get(name)
    return f"{escape(known.name_zh)} {name}" if known else part(name)


def part(name: str) -> str:
    """A size, a kind of light, all groups: Chinese first; a group of pictures is called as its folder is."""
    return escape(f"{_ZH.get(name, '')} {name}".strip())


def html_table(head: Iterable[str], body: Sequence[Sequence[str]], *, faint: Collection[int] = ()) -> str:
    """Cells are HTML; a first cell that repeats the one above is left empty; faint: rows to take with caution."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    rows = []
    for index, (first, *others) in enumerate(body):
        is_new = index == 0 or first != body[index - 1][0]
        marks = " ".join((["first"] if is_new else []) + (["faint"] if index in faint else []))
        inner = "".join(f"<td>{cell}</td>" for cell in (first if is_new else "", *others))
        rows.append(f'<tr class="{marks}">{inner}</tr>')
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
