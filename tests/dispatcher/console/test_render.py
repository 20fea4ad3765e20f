"""The parts of the page as HTML: both languages, the right light, nothing from outside unescaped."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dispatcher
from dispatcher.adapters.queries import OrderFilter, Standing
from dispatcher.console.render import detail_html, header_html, legend_html, list_html
from dispatcher.messages import OrderState, Step, Tier
from dispatcher.sla import Unit
from dispatcher.texts import TEXTS, text
from geofence.messages import IncidentEvent, IncidentKind

if TYPE_CHECKING:
    from tests.dispatcher.conftest import Centre

CASE_NO = "1101012026112400001"
EVIL = "<img src=x onerror=alert(1)>\"'&"


def test_every_state_step_kind_tier_and_unit_has_words() -> None:
    for prefix, names in {
        "state": OrderState,
        "step": Step,
        "kind": IncidentKind,
        "tier": Tier,
        "unit": Unit,
    }.items():
        for name in names:
            assert all(text(f"{prefix}.{name.value}"))


def test_every_phrase_is_used() -> None:
    package = Path(dispatcher.__file__).parent
    source = "".join(path.read_text("utf-8") for path in package.rglob("*.py") if path.name != "texts.py")
    used = set(re.findall(r"""["']([a-z]+\.[a-z_]+|[a-z]+)["']""", source))
    families = ("state.", "step.", "kind.", "tier.", "unit.", "time.", "detail.first", "detail.last")
    assert [key for key in TEXTS if not key.startswith(families) and key not in used] == []


def test_list_shows_both_languages_and_the_light(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    orders = tuple(centre.queries.orders(OrderFilter(), limit=1))
    tones = []
    for moment in (garbage.at, orders[0].amber_at, orders[0].due_at):
        html = list_html(orders, centre.policy, now=moment, selected=None)
        tones.extend(re.findall(r'class="row (\w+)', html))
    assert tones == ["green", "yellow", "red"]
    for words in ("暴露垃圾", "Exposed garbage", "市容环卫中心", "Sanitation Centre", "已派遣", "110101001001001"):
        assert words in html


def test_row_of_a_gone_trouble_says_so(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    (order,) = centre.queries.orders(OrderFilter(), limit=1)
    gone = replace(order, resolved_at=garbage.at)
    assert text("detail.gone").zh in list_html((gone,), centre.policy, now=garbage.at, selected=None)
    assert text("detail.gone").zh not in list_html((order,), centre.policy, now=garbage.at, selected=None)


def test_selected_row_is_the_only_one_marked(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    centre.send(replace(garbage, incident_id="b", place_key="b"))
    orders = tuple(centre.queries.orders(OrderFilter(), limit=2))
    html = list_html(orders, centre.policy, now=garbage.at + timedelta(hours=1), selected=CASE_NO)
    assert re.findall(r'class="row \w+ selected" data-case="(\d+)"', html) == [CASE_NO]


def test_words_of_devices_are_escaped(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(replace(garbage, reason=EVIL, source_id=EVIL, subject=EVIL, surface=EVIL), jpeg=b"x")
    case = centre.queries.case_file(CASE_NO)
    assert case is not None
    html = detail_html(case, centre.policy) + list_html((case.order,), centre.policy, now=garbage.at, selected=None)
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;" in html


def test_detail_draws_every_box_over_its_picture(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage, jpeg=b"x")
    case = centre.queries.case_file(CASE_NO)
    html = detail_html(case, centre.policy)
    assert '<rect x="10.0" y="20.0" width="100.0" height="70.0"/>' in html
    assert f'src="/api/orders/{CASE_NO}/evidence/' in html
    assert "09" not in re.findall(r"处置时限.*?(\d\d):", html)[0]


def test_detail_of_a_sensor_order_says_that_there_is_no_picture(centre: Centre, bin_overflow: IncidentEvent) -> None:
    centre.send(bin_overflow)
    html = detail_html(centre.queries.case_file(CASE_NO), centre.policy)
    assert text("detail.no_picture").zh in html
    assert "<img" not in html


def test_order_of_a_department_that_the_policy_dropped_shows_its_id(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    (order,) = centre.queries.orders(OrderFilter(), limit=1)
    assert ">ZZ<" in list_html((replace(order, lead_dept="ZZ"),), centre.policy, now=garbage.at, selected=None)


def test_nothing_yet_is_said_in_words(centre: Centre, garbage: IncidentEvent) -> None:
    assert text("list.empty").zh in list_html((), centre.policy, now=garbage.at, selected=None)
    assert text("detail.none").zh in detail_html(None, centre.policy)


def test_figures_take_colour_only_when_there_is_something(centre: Centre) -> None:
    zone = centre.policy.calendar.zone
    assert 'class="figure red"' in header_html(Standing(3, 1, 0, 2, 0), zone)
    assert 'class="figure red"' not in header_html(Standing(3, 1, 0, 0, 0), zone)


def test_legend_names_every_kind() -> None:
    assert legend_html().count("<i></i>") == len(IncidentKind)


@pytest.mark.parametrize("name", ["console.js", "console.css"])
def test_assets_name_no_address_outside(name: str) -> None:
    asset = Path(dispatcher.__file__).parent / "console" / "assets" / name
    assert re.findall(r"https?:|//[a-z]+\.|@import|url\(", asset.read_text("utf-8")) == []
