from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.broker_url import BrokerUrl
from ingest.errors import BrokerUrlError


@pytest.mark.parametrize(
    ("text", "host", "port", "tls"),
    [
        ("tcp://broker.lan", "broker.lan", 1883, False),
        ("mqtt://10.0.0.7:2883", "10.0.0.7", 2883, False),
        ("mqtts://broker.lan", "broker.lan", 8883, True),
        ("ssl://broker.lan/", "broker.lan", 8883, True),
        ("tls://broker.lan:443", "broker.lan", 443, True),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_scheme_decides_tls_and_default_port(text: str, host: str, port: int, tls: bool) -> None:
    url = BrokerUrl.parse(text)
    assert (url.host, url.port, url.tls, url.username, url.password) == (host, port, tls, None, None)


def test_credentials_are_percent_decoded() -> None:
    url = BrokerUrl.parse("mqtts://gate%40way:p%3Ass%2Fw%C3%B6rd@broker:8884")
    assert (url.username, url.password) == ("gate@way", "p:ss/wörd")


def test_user_without_password_is_kept() -> None:
    url = BrokerUrl.parse("tcp://gateway@broker")
    assert (url.username, url.password) == ("gateway", None)


def test_no_text_of_a_url_shows_the_password() -> None:
    url = BrokerUrl.parse("mqtt://gateway:s3cret@broker")
    assert str(url) == url.redacted() == "mqtt://gateway:***@broker:1883"
    assert "s3cret" not in repr(url)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("broker:1883", "the scheme must be"),
        ("http://broker", "the scheme must be"),
        ("tcp://", "the host is missing"),
        ("tcp://:1883", "the host is missing"),
        ("tcp://two words", "is no host name"),
        ("tcp://broker:0", "1 to 65535"),
        ("tcp://broker:65536", "1 to 65535"),
        ("tcp://broker:mqtt", "1 to 65535"),
        ("tcp://broker/topic", "nothing may follow the port"),
        ("tcp://broker?x=1", "nothing may follow the port"),
        ("tcp://:secret@broker", "a user name must stand before"),
        ("tcp://u:%ff@broker", "not UTF-8"),
        ("tcp://[::1", "Invalid IPv6"),
        ("", "the scheme must be"),
    ],
)
def test_unusable_address_is_refused_with_one_line(text: str, line: str) -> None:
    with pytest.raises(BrokerUrlError, match=line) as caught:
        BrokerUrl.parse(text)
    assert "\n" not in str(caught.value)


def test_error_of_a_mistyped_address_hides_the_password() -> None:
    with pytest.raises(BrokerUrlError) as caught:
        BrokerUrl.parse("tcp://gateway:s3cret/x@broker:99999")
    assert "s3cret" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    for candidate in (text, f"mqtt://{text}", f"mqtts://{text}:1"):
        try:
            url = BrokerUrl.parse(candidate)
        except BrokerUrlError:
            continue
        assert url.host
        assert 0 < url.port < 65536
