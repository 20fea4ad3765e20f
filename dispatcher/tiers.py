"""Which of the three answers of the 721 method a case begins with: service, management, enforcement."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.messages import Tier
from dispatcher.policy import Category


@dataclass(frozen=True, slots=True)
class TierDecision:
    """The tier, the rule that chose it, and the reason in words for the record."""

    tier: Tier
    rule: str
    reason: str


def initial_tier(category: Category) -> TierDecision:
    """Return the tier that a case of this category begins with.

    Only a danger begins above service. Enforcement is never an automatic answer: a person decides it.
    """
    if category.is_safety:
        return TierDecision(Tier.MANAGEMENT, "R0", "R0 危险须立即处置 · a danger is handled at once")
    if not category.has_party:
        return TierDecision(Tier.SERVICE, "R1", "R1 无明确责任人,清理修复 · nobody to ask: clean or repair")
    return TierDecision(
        Tier.SERVICE, "R2", "R2 首次且轻微,先教育劝导 · first and minor as far as known: explain and ask"
    )
