"""Why a message went to the dead letters: the closed list that metrics use as a label."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One short constant per fault of a sender."""

    EMPTY = "empty"
    IMPLAUSIBLE_TIME = "implausible_time"
    INVALID_JSON = "invalid_json"
    INVALID_NAME = "invalid_name"
    INVALID_SENML = "invalid_senml"
    INVALID_TIME = "invalid_time"
    INVALID_TOPIC = "invalid_topic"
    INVALID_UTF8 = "invalid_utf8"
    NOT_A_JPEG = "not_a_jpeg"
    NOT_A_NUMBER = "not_a_number"
    NO_NUMERIC_VALUE = "no_numeric_value"
    SINK_REFUSED = "sink_refused"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TRUNCATED_JPEG = "truncated_jpeg"
    UNDECODABLE_JPEG = "undecodable_jpeg"
    UNKNOWN_TOPIC = "unknown_topic"
