"""The tier that a case begins with."""

from __future__ import annotations

import pytest

from dispatcher.messages import Tier
from dispatcher.policy import Policy
from dispatcher.tiers import initial_tier


@pytest.mark.parametrize(
    ("key", "tier", "rule"),
    [
        ("exposed_garbage", Tier.SERVICE, "R1"),
        ("bin_overflow", Tier.SERVICE, "R1"),
        ("vehicle_parking", Tier.SERVICE, "R2"),
        ("fire_lane", Tier.MANAGEMENT, "R0"),
        ("ice_snow", Tier.MANAGEMENT, "R0"),
    ],
)
def test_initial_tier_follows_danger_then_party(policy: Policy, key: str, tier: Tier, rule: str) -> None:
    decision = initial_tier(policy.categories[key])
    assert (decision.tier, decision.rule) == (tier, rule)
    assert decision.reason.startswith(rule)


def test_no_category_begins_with_enforcement(policy: Policy) -> None:
    tiers = {initial_tier(category).tier for category in policy.categories.values()}
    assert tiers == {Tier.SERVICE, Tier.MANAGEMENT}
