"""Line charts as SVG text, both axes from 0 to 1: precision against recall, figures against the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from detectors.training.matching import F64

COLOURS = ("#1f6feb", "#d1495b", "#2a9d6f", "#b8860b", "#7b4fb3", "#4d5963")
"""One per line, told apart on white; a seventh line begins again."""

_SIDE = 220
_LEFT, _TOP, _RIGHT, _BOTTOM = 34, 8, 10, 34
_MOST_POINTS = 160


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One line: x and y (N,) in 0..1; dot: a point (x, y) to stress."""

    label: str
    x: F64
    y: F64
    dot: tuple[float, float] | None = None


def line_chart(lines: Sequence[Line], *, title: str, x_label: str, y_label: str, mark_x: float | None = None) -> str:
    """An <svg> element; mark_x draws an upright dashed line, such as the threshold that ships."""
    width, height = _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM
    parts = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        *_axes(x_label, y_label),
    ]
    for number, line in enumerate(lines):
        parts += _line(line, COLOURS[number % len(COLOURS)])
    if mark_x is not None:
        x = _x(mark_x)
        anchor, text_x = ("end", x - 3) if mark_x > 0.8 else ("start", x + 3)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_TOP + _SIDE}"/>')
        parts.append(f'<text x="{text_x:.1f}" y="{_TOP + _SIDE - 4}" text-anchor="{anchor}">{mark_x:.2f}</text>')
    return "".join(parts) + "</svg>"


def _axes(x_label: str, y_label: str) -> list[str]:
    parts = []
    for step in range(6):
        at = step / 5
        parts.append(f'<line class="grid" x1="{_x(at):.1f}" x2="{_x(at):.1f}" y1="{_TOP}" y2="{_TOP + _SIDE}"/>')
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{_y(at):.1f}" y2="{_y(at):.1f}"/>')
        parts.append(f'<text x="{_x(at):.1f}" y="{_TOP + _SIDE + 13}" text-anchor="middle">{at:.1f}</text>')
        parts.append(f'<text x="{_LEFT - 4}" y="{_y(at) + 3:.1f}" text-anchor="end">{at:.1f}</text>')
    middle_x, middle_y = _LEFT + _SIDE / 2, _TOP + _SIDE / 2
    parts.append(f'<text x="{middle_x}" y="{_TOP + _SIDE + 28}" text-anchor="middle">{escape(x_label)}</text>')
    turned = f'transform="rotate(-90 9 {middle_y})"'
    parts.append(f'<text x="9" y="{middle_y}" {turned} text-anchor="middle">{escape(y_label)}</text>')
    return parts


def _line(line: Line, colour: str) -> list[str]:
    parts = []
    if len(line.x):
        rows = np.unique(np.linspace(0, len(line.x) - 1, _MOST_POINTS).round().astype(int))
        points = " ".join(f"{_x(float(line.x[row])):.1f},{_y(float(line.y[row])):.1f}" for row in rows)
        parts.append(f'<polyline points="{points}" stroke="{colour}"/>')
    if line.dot is not None:
        parts.append(f'<circle cx="{_x(line.dot[0]):.1f}" cy="{_y(line.dot[1]):.1f}" r="3.5" fill="{colour}"/>')
    return parts


def _x(value: float) -> float:
    return _LEFT + value * _SIDE


def _y(value: float) -> float:
    return _TOP + (1 - value) * _SIDE
