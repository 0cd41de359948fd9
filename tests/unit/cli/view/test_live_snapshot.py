"""The live snapshot: jobs, daemons and pools as watched."""

from typing import Any

from provisioner_operator.cli.api.watch_feed import Changed, Gone, Listed, Trouble
from provisioner_operator.cli.view.live_snapshot import LiveSnapshot
from support.builders.core import NOON
from support.builders.manifests import a_daemon_manifest, a_job_manifest
from support.builders.stored import stored


def a_job(name: str, version: str = "1", **spec: Any) -> dict[str, Any]:
    return stored(a_job_manifest(name, workspaceRef={"name": name}, **spec), resourceVersion=version)


def test_a_list_replaces_everything_and_changes_apply_to_it() -> None:
    live = LiveSnapshot()
    assert live.jobs.take(Listed((a_job("a"), a_job("b"))))
    live.jobs.take(Listed((a_job("b"),)))
    live.jobs.take(Changed(a_job("c")))
    live.jobs.take(Gone(a_job("b")))
    assert [view.job.name for view in live.job_views()] == ["c"]
    assert not live.jobs.take(Trouble("The API server is away."))


def test_a_job_is_parsed_once_a_version() -> None:
    live = LiveSnapshot()
    live.jobs.take(Listed((a_job("a"),)))
    (first,) = live.job_views()
    (again,) = live.job_views()
    live.jobs.take(Changed(a_job("a", "2", priority=5)))
    (changed,) = live.job_views()
    assert again is first
    assert changed.job.priority == 5


def test_an_object_that_this_version_cannot_read_is_left_out() -> None:
    live = LiveSnapshot()
    live.jobs.take(Listed((a_job("a"), a_job("b", type="Unheard"))))
    live.daemons.take(Listed((stored(a_daemon_manifest("d1")), stored(a_daemon_manifest("d2", capacity="many")))))
    snapshot = live.at(NOON)
    assert [job.name for job in snapshot.jobs.values()] == ["a"]
    assert [daemon.name for daemon in snapshot.daemons] == ["d1"]
