"""The street in motion: which bodies are where in any second of a scenario.

Everything follows from street, actors, traffic and seed; the order of the questions and the frame rate change
nothing. Forward is cheap; going back further than a few seconds plans the traffic again from the start.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.motion.actors import ActorPart, TrafficPart, check_actors
from sim.motion.paths import Mover
from sim.motion.scripted import plan_actors
from sim.motion.traffic import Traffic
from sim.street.body import Body
from sim.street.street import Street

_KEPT_S = 20.0
_PRUNED_EVERY_S = 10.0


class World:
    """All bodies of a street through time; memory holds those who are on it, in a loop those of one round."""

    def __init__(
        self, street: Street, actors: Sequence[ActorPart], traffic: TrafficPart, *, seed: int, loop_s: float | None
    ) -> None:
        """Plan the actors; raises ActorError for one that cannot do what its table says."""
        if loop_s is not None and not 0 < loop_s < math.inf:
            raise ValueError(f"loop_s must be a positive number of seconds (found {loop_s})")
        check_actors(street, actors)
        self._street, self._settings, self._seed, self._loop_s = street, traffic, seed, loop_s
        self._scripted = plan_actors(street, actors, seed=seed, speed_mps=traffic.speed_mps)
        self._restart()

    def bodies_at(self, second: float) -> tuple[Body, ...]:
        """Everything on the street in a second of the scenario (0 or later); in a loop, of the round."""
        if not 0 <= second < math.inf:
            raise ValueError(f"second must be 0 or later and finite (found {second})")
        moment = second if self._loop_s is None else second % self._loop_s
        if moment < self._forgotten_until_s:
            self._restart()
        self._traffic.plan_until(moment, self._known)
        self._prune(moment)
        return tuple(body for mover in self._known if (body := mover.body_at(moment)) is not None)

    def _restart(self) -> None:
        self._traffic = Traffic(self._street, self._settings, seed=self._seed)
        self._known: list[Mover] = list(self._scripted)
        self._forgotten_until_s = -math.inf
        self._pruned_at_s = 0.0

    def _prune(self, moment: float) -> None:
        """Forget who left long ago, except in a loop, which comes back to them."""
        if self._loop_s is not None or moment < self._pruned_at_s + _PRUNED_EVERY_S:
            return
        self._pruned_at_s = moment
        limit = moment - _KEPT_S
        kept = [mover for mover in self._known if mover.ends_s >= limit]
        if len(kept) < len(self._known):
            self._known, self._forgotten_until_s = kept, limit
