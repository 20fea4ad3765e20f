"""Errors of the daemons and the command line: each one line that a person can act on."""

from __future__ import annotations


class GatewayError(Exception):
    """Base of every error that the daemons raise."""


class ConfigError(GatewayError):
    """A settings file cannot be used: names file, key, value and what would be right."""


class StartError(GatewayError):
    """A daemon cannot start: port in use, child that does not come up, lost spool."""
