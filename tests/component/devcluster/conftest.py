"""Fixtures of the devcluster's component tests: each test has a machine of its own."""

from support.own_machine import cache, path, script

__all__ = ["cache", "path", "script"]
