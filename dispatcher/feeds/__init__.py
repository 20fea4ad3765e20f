"""Everything that goes out: one renderer for each feed, from an order event to a message.

In: `OrderEvent`. Out: `FeedMessage`, ready for a transport. Never: sends anything or reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.feeds import mqtt
from dispatcher.feeds.message import Render

FEEDS: Mapping[str, Render] = {
    "mqtt": mqtt.render,
}
"""Every feed by its name in the configuration; the name is also the key of its delivery cursor."""
