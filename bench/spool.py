"""Hot path: MQTT message to durable row. Its commits decide how many messages a second one box can acknowledge.

Reference: the same rows committed one by one, as a callback that stores before it acknowledges would.
"""

from __future__ import annotations


def main() -> None:
    """placeholder, replaced below"""
