"""Records as people see them."""

from support.builders.core import a_daemon, a_job
from support.builders.pools import a_pool
from support.builders.workspaces import a_template, a_workspace


def test_an_object_is_displayed_by_namespace_and_name() -> None:
    shown = [each.display_name for each in (a_job(), a_daemon(), a_pool(), a_template(), a_workspace())]

    assert shown == ["acme/job", "acme/daemon", "acme/pool", "acme/template", "acme/dev"]
