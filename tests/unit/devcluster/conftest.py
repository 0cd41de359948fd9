"""Fixtures of the devcluster's unit tests: an isolated machine for each test."""

from support.own_machine import cache, path, script

__all__ = ["cache", "path", "script"]
