"""Settings of all tests."""

from collections.abc import Sequence

import pytest
from hypothesis import settings

# No test measures speed, and a busy machine takes much longer for an example.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: Sequence[pytest.Item]) -> None:
    """Keep tests that share a fixture in one worker (with `--dist loadgroup`), so that it is made once."""
    for item in items:
        scopes = {
            definitions[-1].scope
            for name in getattr(item, "fixturenames", ())
            if (definitions := session._fixturemanager.getfixturedefs(name, item))  # noqa: SLF001 - pytest shows them nowhere else
        }
        if "package" in scopes:
            item.add_marker(pytest.mark.xdist_group(item.path.parent.name))
        elif "module" in scopes:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
