"""Settings of all tests."""

import functools
import gc
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings
from typing_extensions import override
from xdist.scheduler import LoadScopeScheduling

from support.open_connections import open_connections, watch_event_loops

# No test measures speed, and a busy machine takes much longer for an example.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")

watch_event_loops()


def pytest_collection_finish() -> None:
    """Exempt all imported modules and collected tests, which live to the end, from every later garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """Fail a test one of whose fixtures had an event loop that ended before its connections."""
    return (yield from _ending_connections())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test whose event loop ended before its connections."""
    return (yield from _ending_connections())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """Fail a test one of whose fixtures had an event loop that ended before its connections."""
    return (yield from _ending_connections())


def _ending_connections() -> Generator[None, object, object]:
    result = yield
    assert open_connections() == [], "await their end, or abort them: an event loop has ended before them"
    return result


class SharedFixtureScheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Distributes tests one by one, but keeps those that share a fixture in one worker, so that it is made once."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return _sharing(self.config.rootpath / nodeid.partition("::")[0]) or nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """Use it for `--dist loadscope`; the mutation tool runs the tests without xdist."""
    return SharedFixtureScheduling(config, log) if config.getoption("dist") == "loadscope" else None


@functools.cache
def _sharing(file: Path) -> str | None:
    """The file, if it or its folder has fixtures for all tests of a module; the folder, if it has some for a session."""
    conftest = file.parent / "conftest.py"
    sources = [each.read_text(encoding="utf-8") for each in (file, conftest) if each.exists()]
    if any('scope="session"' in source for source in sources):
        return str(file.parent)
    return str(file) if any('scope="module"' in source for source in sources) else None
