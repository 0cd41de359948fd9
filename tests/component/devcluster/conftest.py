"""Fixtures of the devcluster's component tests: an isolated machine for each test."""

from support.own_machine import cache, path, script

__all__ = ["cache", "path", "script"]
