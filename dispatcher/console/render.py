"""The HTML of the page's parts; every value that came from outside is escaped."""

from __future__ import annotations

import json
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from dispatcher.adapters.queries import CaseFile, PictureInfo, Standing
from dispatcher.api.models import evidence_href
from dispatcher.messages import ChainedEntry, WorkOrder
from dispatcher.policy import Policy
from dispatcher.sla import light
from dispatcher.texts import TEXTS, Text, text


def both(phrase: Text, *, tag: str = "span") -> str:
    """Return a phrase in both languages, Chinese first."""
    return f'<{tag} class="zh">{escape(phrase.zh)}</{tag}><{tag} class="en">{escape(phrase.en)}</{tag}>'


def header_html(standing: Standing, zone: ZoneInfo) -> str:
    """Return the bar at the top: name, figures, clock, link light."""
    figures = (
        ("count.open", standing.is_open, ""),
        ("count.today", standing.filed_today, ""),
        ("count.yellow", standing.yellow, "yellow"),
        ("count.red", standing.red, "red"),
        ("count.gone", standing.gone, "gone"),
    )
    counters = "".join(
        f'<div class="figure {tone if number else ""}" data-figure="{key}">'
        f"<b>{number}</b><div>{both(text(key))}</div></div>"
        for key, number, tone in figures
    )
    return (
        f'<div class="brand"><i>721</i><div>{both(text("title"))}</div></div>'
        f'<div class="figures">{counters}</div>'
        f'<div class="clock" data-zone="{escape(zone.key)}" data-words="{escape(_words())}"><b></b><span></span></div>'
        f'<div class="link"><i></i>{both(text("link.live"))}</div>'
    )


def _words() -> str:
    """Return the words that the page's script puts beside its times."""
    words = {key.removeprefix("time."): phrase.zh for key, phrase in TEXTS.items() if key.startswith("time.")}
    return json.dumps(words, ensure_ascii=False)


def list_html(orders: tuple[WorkOrder, ...], policy: Policy, *, now: datetime, selected: str | None) -> str:
    """Return the list of orders, newest first; the page's script counts the times down."""
    if not orders:
        return f'<div class="empty">{both(text("list.empty"), tag="p")}</div>'
    return "".join(_row_html(order, policy, now, is_selected=order.case_no == selected) for order in orders)


def list_head_html() -> str:
    """Return the column names of the list."""
    columns = ("column.matter", "column.case_no", "column.department", "column.state", "column.remaining")
    return "<span></span>" + "".join(f"<span>{both(text(column))}</span>" for column in columns)


def _row_html(order: WorkOrder, policy: Policy, now: datetime, *, is_selected: bool) -> str:
    tone = light(now, amber_at=order.amber_at, due_at=order.due_at).value
    is_new = (now - order.filed_at).total_seconds() < 4
    classes = f"row {tone}{' selected' if is_selected else ''}{' new' if is_new else ''}"
    case_no = escape(order.case_no)
    gone = f'<em class="gone">{escape(text("detail.gone").zh)}</em>' if order.resolved_at else ""
    return (
        f'<div class="{classes}" data-case="{case_no}" data-amber="{_epoch_ms(order.amber_at)}" '
        f'data-due="{_epoch_ms(order.due_at)}" data-filed="{_epoch_ms(order.filed_at)}" role="button" tabindex="0">'
        f'<span class="lamp"></span>'
        f'<span class="matter k-{order.kind.value}"><i></i><span>'
        f"{both(Text(order.title_zh, order.title_en))}</span></span>"
        f'<span class="case"><b>{case_no[:14]}<u>{case_no[14:]}</u></b>'
        f'<span class="cell">{escape(order.cell or text("detail.no_cell").zh)}</span></span>'
        f"<span>{both(_department(order.lead_dept, policy))}</span>"
        f"<span>{both(text(f'state.{order.state.value}'))}{gone}</span>"
        f'<span class="left"><b></b><span class="age"></span></span></div>'
    )


def detail_html(case: CaseFile | None, policy: Policy) -> str:
    """Return the case file of the chosen order: picture, facts, history."""
    if case is None:
        return f'<div class="empty">{both(text("detail.none"), tag="p")}</div>'
    order = case.order
    history = "".join(_history_html(link, policy.calendar.zone) for link in reversed(case.history))
    return (
        f'<div class="top">{_pictures_html(order.case_no, case.pictures)}{_facts_html(order, policy)}</div>'
        f'<div class="why k-{order.kind.value}">{escape(order.reason)}</div>'
        f'<div class="subhead">{both(text("detail.history"))}'
        f"<small>{escape(text('detail.lead_only').zh)}</small></div>"
        f'<ol class="history">{history}</ol>'
    )


def _facts_html(order: WorkOrder, policy: Policy) -> str:
    zone = policy.calendar.zone
    assist = "、".join(_department(dept, policy).zh for dept in order.assist_depts)
    unit = text(f"unit.{order.limit_unit}").zh
    rows = [
        ("column.case_no", order.case_no),
        ("column.matter", f"{order.matter_code} {order.title_zh} · {order.title_en}"),
        ("column.department", _department(order.lead_dept, policy).zh),
        ("detail.assist", assist),
        ("detail.external", order.external_party or ""),
        ("detail.due", f"{_local(order.due_at, zone)}({order.limit_n:g} {unit})"),
        ("detail.tier", f"{text(f'tier.{order.tier_initial.value}').zh} · {order.tier_reason.partition(' · ')[0]}"),
        ("column.cell", order.cell or text("detail.no_cell").zh),
        ("detail.place", f"{order.lat:.6f}, {order.lng:.6f}"),
        ("detail.source", f"{order.source_id} · {text('detail.confidence').zh} {order.confidence:.0%}"),
    ]
    if order.resolved_at is not None:
        rows.append(("detail.gone", _local(order.resolved_at, zone)))
    return (
        "<dl>"
        + "".join(
            f'<dt title="{escape(text(key).en)}">{escape(text(key).zh)}</dt><dd>{escape(value)}</dd>'
            for key, value in rows
            if value
        )
        + "</dl>"
    )


def _pictures_html(case_no: str, pictures: tuple[PictureInfo, ...]) -> str:
    if not pictures:
        return f'<div class="shots"><div class="shot none">{both(text("detail.no_picture"), tag="p")}</div></div>'
    shots = "".join(_shot_html(case_no, picture) for picture in pictures)
    return f'<div class="shots n{len(pictures)}">{shots}</div>'


def _shot_html(case_no: str, picture: PictureInfo) -> str:
    """A picture with its boxes; the script gives the drawing the picture's own pixel size."""
    boxes = "".join(
        f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{max(0.0, x1 - x0):.1f}" height="{max(0.0, y1 - y0):.1f}"/>'
        for x0, y0, x1, y1 in picture.xyxy
    )
    return (
        f'<figure class="shot"><img src="{evidence_href(escape(case_no), escape(picture.sha256))}" alt="">'
        f'<svg preserveAspectRatio="xMidYMid meet">{boxes}</svg>'
        f"<figcaption>{escape(text(f'detail.{picture.slot}').zh)}</figcaption></figure>"
    )


def _history_html(link: ChainedEntry, zone: ZoneInfo) -> str:
    entry = link.entry
    return (
        f'<li class="s-{entry.step.value}"><time>{entry.at.astimezone(zone):%m-%d %H:%M:%S}</time>'
        f"<b>{escape(text(f'step.{entry.step.value}').zh)}</b>"
        f"<span>{escape(entry.reason)}<small>{escape(entry.actor)}</small></span></li>"
    )


def legend_html() -> str:
    """Return the colours of the map."""
    kinds = [key for key in TEXTS if key.startswith("kind.")]
    return "".join(
        f'<span class="k-{key.removeprefix("kind.")}"><i></i><span>{both(text(key))}</span></span>' for key in kinds
    )


def _department(dept: str, policy: Policy) -> Text:
    """An older order may name a department that the current policy no longer has."""
    known = policy.departments.get(dept)
    return Text(dept, "") if known is None else Text(known.name_zh, known.name_en)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%m-%d %H:%M}"


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
