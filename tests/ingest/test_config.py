from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.broker_url import BrokerUrl
from ingest.config import (
    EmbeddedBrokerSettings,
    FrameLimits,
    MqttSettings,
    PayloadLimits,
    SinkSettings,
    SpoolSettings,
    TimeLimits,
)
from ingest.errors import SettingsError

URL = BrokerUrl(host="broker", port=1883)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: TimeLimits(max_age_s=0), "max_age_s = 0: must be greater than 0"),
        (lambda: TimeLimits(max_ahead_s=float("nan")), "max_ahead_s = nan"),
        (lambda: PayloadLimits(max_values=-1), "max_values = -1"),
        (lambda: FrameLimits(max_pixels=0), "max_pixels = 0"),
        (lambda: MqttSettings(url=URL, client_id=""), "a durable session needs a name"),
        (lambda: MqttSettings(url=URL, client_id="g", inbox_max_messages=0), "inbox_max_messages = 0"),
        (lambda: SpoolSettings(file=Path("x"), commit_window_s=-1), "commit_window_s = -1"),
        (lambda: EmbeddedBrokerSettings(folder=Path("x"), port=65536), "0 (any free port) to 65535"),
        (lambda: EmbeddedBrokerSettings(folder=Path("x"), username="u"), "belong together"),
        (lambda: SinkSettings(url="victoria:8428"), "must start with http:// or https://"),
        (lambda: SinkSettings(url="http://v", max_lines=5001), "must be 1 to 5000"),
        (lambda: SinkSettings(url="http://v", margin_s=-1), "must not be negative"),
        (lambda: SinkSettings(url="http://v", min_backoff_s=2, max_backoff_s=1), "at least min_backoff_s"),
    ],
)
def test_setting_that_cannot_work_is_refused_with_its_key(make: Callable[[], object], line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make()
    assert line in str(caught.value)


def test_secrets_are_not_printed() -> None:
    assert "s3cret" not in repr(SinkSettings(url="http://v", token="s3cret"))
    assert "s3cret" not in repr(EmbeddedBrokerSettings(folder=Path("x"), username="u", password="s3cret"))
