"""What is wrong with what a camera sees: a step function over glances, with a state that can be saved.

A camera that is dark, covered, turned away or stuck must be known: its pictures would say that the street is empty,
or that nothing on it has moved for hours.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from detectors.glance import COLUMNS, ROWS, Glance, equal_share

F32 = npt.NDArray[np.float32]
_NOTHING: Mapping[str, F32] = MappingProxyType({})
_STRUCTURE_PX = 9


class ViewProblem(StrEnum):
    """Why a camera's pictures cannot be relied on."""

    BLACK = "black"
    BLINDED = "blinded"
    FROZEN = "frozen"
    MOVED = "moved"


# So many pictures in a row, each different from the one before, and a camera is known to live.
LIVING = 5
_SHOWS_NOTHING = frozenset({ViewProblem.BLACK, ViewProblem.BLINDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSettings:
    """Limits, all of them for a glance.

    report_after_s:   a problem must last so long to be reported; a passing bus does not
    black_luma, black_contrast: mean grey value 0..255 and its standard deviation below which a picture is black
    blind_contrast:   standard deviation below which nothing can be made out (dense fog in the simulator has 20)
    frozen_share:     share of places that did not change by a bit; the clock in the picture may go on
    moved_below:      correlation with the usual view below which it is another one; a camera turned by a twentieth of
                      its picture comes to 0.35, any weather of the simulator by day to 0.5
    steady_above:     correlation of successive glances above which a view is settled
    colour_above:     mean distance from grey above which a picture is in colour: by infrared the usual view is another
    learn_s:          how slowly the usual view follows; at first a view must have been seen for so long
    """

    report_after_s: float = 15.0
    black_luma: float = 16.0
    black_contrast: float = 8.0
    blind_contrast: float = 6.0
    frozen_share: float = 0.97
    moved_below: float = 0.35
    steady_above: float = 0.6
    colour_above: float = 1.0
    learn_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewState:
    """What is remembered of a camera's view.

    usual:     the view that it has, by colour and infrared: grey values (28, 50)
    known_s:   for how long each has been seen
    suspected: what the last glances look like, since when; problem: what was reported and still holds
    fresh_in_a_row: pictures that each differed from the one before; stays at LIVING once it was reached
    """

    usual: Mapping[str, F32] = field(default_factory=lambda: _NOTHING)
    known_s: Mapping[str, float] = field(default_factory=dict)
    last: Glance | None = None
    last_at: datetime | None = None
    suspected: ViewProblem | None = None
    since: datetime | None = None
    problem: ViewProblem | None = None
    fresh_in_a_row: int = 0

    def to_json(self) -> str:
        """The usual views and what was reported; what the last glances looked like is found again in seconds."""
        return json.dumps(
            {
                "usual": {mode: base64.b64encode(_rounded(view)).decode("ascii") for mode, view in self.usual.items()},
                "known_s": {mode: round(seconds, 1) for mode, seconds in self.known_s.items()},
                "problem": self.problem,
                "fresh_in_a_row": self.fresh_in_a_row,
            }
        )

    @staticmethod
    def from_json(text: str) -> ViewState:
        """The state that `to_json` wrote."""
        known = json.loads(text)
        usual = {
            mode: np.frombuffer(base64.b64decode(view), np.uint8).reshape(ROWS, COLUMNS).astype(np.float32)
            for mode, view in known["usual"].items()
        }
        problem = ViewProblem(known["problem"]) if known["problem"] else None
        fresh = int(known.get("fresh_in_a_row", 0))
        return ViewState(
            usual=usual, known_s=known["known_s"], suspected=problem, problem=problem, fresh_in_a_row=fresh
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChange:
    """A problem began (`problem`), another took its place, or the view is as usual again (None)."""

    problem: ViewProblem | None
    before: ViewProblem | None
    at: datetime


def advance_view(
    state: ViewState, glance: Glance, seen_at: datetime, settings: ViewSettings
) -> tuple[ViewState, ViewChange | None]:
    """The state after one more glance, and what is to be reported. A late glance changes nothing.

    seen_at: aware, event time
    """
    if state.last_at is not None and seen_at <= state.last_at:
        return state, None
    grey = _grey(glance)
    mode = _mode(glance, settings)
    suspected = _suspicion(state, glance, grey, mode, settings)
    began_at = _since(state, suspected, seen_at)
    fresh = _fresh_in_a_row(state, suspected)
    after = replace(state, last=glance, last_at=seen_at, suspected=suspected, since=began_at, fresh_in_a_row=fresh)
    if suspected is None:
        after = _learn(after, grey, mode, _seconds(state.last_at, seen_at), settings)
    if suspected == state.problem or _seconds(began_at, seen_at) < settings.report_after_s:
        return after, None
    change = ViewChange(problem=suspected, before=state.problem, at=seen_at)
    return replace(after, problem=suspected), change


def is_a_look(state: ViewState) -> bool:
    """Whether the last picture shows the street as it is now: not a black or an old one, nor another street.

    A camera that never sent one new picture after another is no frozen one: somebody plays photographs.
    """
    if state.suspected is ViewProblem.FROZEN:
        return state.fresh_in_a_row < LIVING
    return state.suspected not in _SHOWS_NOTHING and state.problem is not ViewProblem.MOVED


def _suspicion(state: ViewState, glance: Glance, grey: F32, mode: str, settings: ViewSettings) -> ViewProblem | None:
    luma, contrast = float(grey.mean()), float(grey.std())
    if luma < settings.black_luma and contrast < settings.black_contrast:
        return ViewProblem.BLACK
    if contrast < settings.blind_contrast:
        return ViewProblem.BLINDED
    if state.last is None:
        return state.suspected if state.suspected is ViewProblem.MOVED else None
    if equal_share(state.last, glance) >= settings.frozen_share:
        return ViewProblem.FROZEN
    if state.known_s.get(mode, 0.0) < settings.learn_s:
        return None
    is_other = correlation(grey, state.usual[mode]) < settings.moved_below
    is_steady = correlation(grey, _grey(state.last)) > settings.steady_above
    return ViewProblem.MOVED if is_other and is_steady else None


def _fresh_in_a_row(state: ViewState, suspected: ViewProblem | None) -> int:
    if state.fresh_in_a_row >= LIVING or state.last is None:
        return state.fresh_in_a_row
    return 0 if suspected is ViewProblem.FROZEN else state.fresh_in_a_row + 1


def _since(state: ViewState, suspected: ViewProblem | None, seen_at: datetime) -> datetime:
    """When this suspicion began; a frozen picture was so from the glance before on."""
    if suspected == state.suspected and state.since is not None:
        return state.since
    if suspected is ViewProblem.FROZEN and state.last_at is not None:
        return state.last_at
    return seen_at


def _learn(state: ViewState, grey: F32, mode: str, elapsed_s: float, settings: ViewSettings) -> ViewState:
    """The usual view follows slowly: shadows wander, leaves fall."""
    before = state.usual.get(mode)
    weight = 1.0 if before is None else 1 - math.exp(-elapsed_s / settings.learn_s)
    view = grey if before is None else np.asarray(before + np.float32(weight) * (grey - before), np.float32)
    seen_s = min(state.known_s.get(mode, 0.0) + min(elapsed_s, settings.learn_s / 4), 10 * settings.learn_s)
    return replace(state, usual={**state.usual, mode: view}, known_s={**state.known_s, mode: seen_s})


def correlation(first: F32, second: F32) -> float:
    """How alike the structure of two views (28, 50) is, -1..1; light and shadow over wide areas do not count."""
    one, other = _structure(first), _structure(second)
    scale = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


def _structure(grey: F32) -> F32:
    around = np.asarray(cv2.blur(grey, (_STRUCTURE_PX, _STRUCTURE_PX)), np.float32)
    fine = grey - around
    return np.asarray(fine - fine.mean(), np.float32)


def _grey(glance: Glance) -> F32:
    return np.asarray(glance.mean(axis=2), np.float32)


def _mode(glance: Glance, settings: ViewSettings) -> str:
    colours = glance.astype(np.float32)
    distance = float(np.abs(colours - colours.mean(axis=2, keepdims=True)).mean())
    return "colour" if distance > settings.colour_above else "infrared"


def _seconds(earlier: datetime | None, later: datetime) -> float:
    return 0.0 if earlier is None else (later - earlier).total_seconds()


def _rounded(view: F32) -> bytes:
    return np.clip(np.rint(view), 0, 255).astype(np.uint8).tobytes()
