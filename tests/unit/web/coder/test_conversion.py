"""Phases, types, names and times in Coder's words."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.core.views.log_lines import LogLevel
from provisioner_operator.web.coder.convert.ids import version_id
from provisioner_operator.web.coder.convert.logs import first_needed, provisioner_logs, text_of
from provisioner_operator.web.coder.convert.orphans import orphan_id, orphaned_at, orphaned_build
from provisioner_operator.web.coder.convert.words import STATUS_OF, workspace_status
from provisioner_operator.web.coder.durations import parse_duration
from provisioner_operator.web.coder.models.base import NIL
from provisioner_operator.web.coder.models.workspaces import WorkspaceBuildParameter
from provisioner_operator.web.coder.start_values import parameters_to_set, version_to_pin
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.logs.lines import LogLine
from provisioner_operator.web.problems import Problem
from support.coder.api_world import ACME, VERSION, ApiWorld, a_workspace, an_index, uid
from support.coder.go_decoder import problems_of


@pytest.fixture(scope="module")
def world() -> ApiWorld:
    """The installation, which these tests only read."""
    return ApiWorld()


def job(world: ApiWorld, name: str) -> dict[str, Any]:
    found: dict[str, Any] = world.get(f"/api/v2/organizations/{ACME}/provisionerjobs/{uid(JOBS, name)}").json()
    return found


def test_each_phase_has_a_status() -> None:
    assert STATUS_OF.keys() == set(Phase)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("transition", Transition)
def test_the_status_of_a_workspace_follows_from_its_latest_job(phase: Phase, transition: Transition) -> None:
    expected = {
        (Phase.RUNNING, Transition.START): "starting",
        (Phase.RUNNING, Transition.STOP): "stopping",
        (Phase.RUNNING, Transition.DELETE): "deleting",
        (Phase.COMPLETED, Transition.START): "running",
        (Phase.COMPLETED, Transition.STOP): "stopped",
        (Phase.COMPLETED, Transition.DELETE): "deleted",
    }
    assert workspace_status(phase, transition) == expected.get((phase, transition), phase.lower())


def test_a_pending_job_has_a_place_and_workers_and_no_worker(world: ApiWorld) -> None:
    found = job(world, "waiting-1")
    assert (found["queue_position"], found["queue_size"]) == (1, 1)
    assert set(found["available_workers"]) == {uid(DAEMONS, name) for name in ("idle", "busy", "silent", "never")}
    assert not {"worker_id", "started_at", "completed_at", "canceled_at", "error"} & found.keys()
    assert "available_workers" not in job(world, "stuck-1")


def test_a_running_job_has_a_worker_and_no_place(world: ApiWorld) -> None:
    found = job(world, "dev-2")
    assert (found["worker_id"], found["worker_name"]) == (uid(DAEMONS, "busy"), "busy")
    assert found["started_at"] == "2027-01-15T08:00:01.500000Z"
    assert (found["queue_position"], found["queue_size"]) == (0, 0)


def test_how_jobs_ended(world: ApiWorld) -> None:
    assert job(world, "gone-3")["error"] == "Terraform failed."
    assert "canceled_at" not in job(world, "gone-3")
    canceled = job(world, "gone-4")
    assert canceled["canceled_at"] == canceled["completed_at"] == "2027-01-15T08:01:00Z"
    assert "error" not in canceled
    assert job(world, "gone-5")["status"] == "canceling"


def test_what_a_job_works_for(world: ApiWorld) -> None:
    build = job(world, "dev-2")
    assert build["input"] == {"workspace_build_id": build["id"]}
    assert build["metadata"] == {
        "template_version_name": VERSION,
        "template_id": uid(TEMPLATES, "docker"),
        "template_name": "docker",
        "template_display_name": "Docker",
        "template_icon": "/icon/docker.png",
        "workspace_id": uid(WORKSPACES, "dev"),
        "workspace_name": "dev",
        "workspace_build_transition": "start",
    }
    assert job(world, f"{VERSION}-import")["input"] == {"template_version_id": str(version_id(ACME, VERSION))}
    assert job(world, "plan")["input"] == {"template_version_id": uid(JOBS, "plan")}


def test_a_daemon_that_is_silent_is_offline_and_shows_its_jobs(world: ApiWorld) -> None:
    found = {
        each["name"]: each for each in world.get(f"/api/v2/organizations/{ACME}/provisionerdaemons?offline=true").json()
    }
    assert {name: each["status"] for name, each in found.items()} == {
        "idle": "idle",
        "busy": "busy",
        "silent": "offline",
        "never": "offline",
    }
    assert found["busy"]["current_job"]["id"] == uid(JOBS, "dev-2")
    assert found["busy"]["previous_job"]["status"] in {"succeeded", "failed", "canceled"}
    assert found["never"]["last_seen_at"] is None


def test_daemons_for_a_pending_build(world: ApiWorld) -> None:
    build = world.get(f"/api/v2/workspacebuilds/{uid(JOBS, 'waiting-1')}").json()
    assert build["matched_provisioners"] == {
        "count": 4,
        "available": 2,
        "most_recently_seen": "2027-01-15T07:59:55Z",
    }
    assert "matched_provisioners" not in world.get(f"/api/v2/workspacebuilds/{uid(JOBS, 'dev-2')}").json()


def test_a_workspace_whose_job_is_gone_shows_what_it_records(world: ApiWorld) -> None:
    build = world.get(f"/api/v2/workspaces/{uid(WORKSPACES, 'old')}").json()["latest_build"]
    assert (build["id"], build["status"], build["build_number"]) == (uid(WORKSPACES, "old"), "stopped", 4)
    assert build["job"]["input"]["workspace_build_id"] == build["id"]


def test_a_workspace_without_a_job_is_pending(world: ApiWorld) -> None:
    found = world.get(f"/api/v2/workspaces/{uid(WORKSPACES, 'fresh')}").json()
    assert (found["latest_build"]["status"], found["latest_build"]["build_number"]) == ("pending", 0)
    assert found["template_allow_user_cancel_workspace_jobs"]


def test_parameters_keep_the_labels_of_the_template(world: ApiWorld) -> None:
    found = {
        each["name"]: each
        for each in world.get(f"/api/v2/templateversions/{version_id(ACME, VERSION)}/rich-parameters").json()
    }
    assert found["region"]["display_name"] == "Region"
    assert [option["name"] for option in found["region"]["options"]] == ["Europe", "America"]
    assert (found["region"]["form_type"], found["region"]["required"]) == ("dropdown", True)
    assert (found["cpus"]["validation_min"], found["cpus"]["mutable"]) == (1, True)
    assert "validation_max" not in found["cpus"]  # more than Go's int32 holds
    assert {name: each["form_type"] for name, each in found.items()} == {
        "region": "dropdown",
        "cpus": "input",
        "gpu": "switch",
        "groups": "tag-select",
    }


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("500ms", 0.5), ("2h45m10s", 9910)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "90", "1d", "-1h", "1h 30m", "h", "1h" * 51])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def lines(*stages: str) -> list[LogLine]:
    return [
        LogLine(number, "2027-01-15T08:00:00Z", stage, LogLevel.INFO, f"line {number}")
        for number, stage in enumerate(stages, start=1)
    ]


def test_a_stage_begins_with_a_headline() -> None:
    logs = provisioner_logs(lines("init", "init", "apply"))
    assert [(each.id, each.stage, each.output) for each in logs] == [
        (1, "init", ""),
        (2, "init", "line 1"),
        (4, "init", "line 2"),
        (5, "apply", ""),
        (6, "apply", "line 3"),
    ]
    assert text_of(logs[1]) == "2027-01-15T08:00:00Z [info] [provisioner|init] line 1"


@given(st.lists(st.sampled_from(["", "init", "apply"]), max_size=8), st.integers(0, 20))
def test_a_log_can_be_read_in_two_parts(stages: list[str], after: int) -> None:
    whole = provisioner_logs(lines(*stages))
    rest = [each for each in lines(*stages) if each.number > first_needed(after)]
    assert provisioner_logs(rest, after) == [each for each in whole if each.id > after]


def test_a_notice_has_no_stage() -> None:
    [notice] = provisioner_logs([LogLine(1, "", "", LogLevel.WARN, "left out")])
    assert (notice.log_source, notice.stage) == ("provisioner_daemon", "")
    assert problems_of("ProvisionerJobLog", notice.model_dump(mode="json")) == []


@given(st.floats(0, 4e9))
def test_the_id_of_an_orphan_contains_its_time(at: float) -> None:
    assert orphaned_at(orphan_id(at)) == pytest.approx(at, abs=0.002)
    assert orphan_id(at).version == 8


@given(st.uuids(version=4))
def test_other_ids_are_no_orphans(identity: UUID) -> None:
    assert orphaned_at(identity) is None


def test_an_orphan_can_be_decoded(world: ApiWorld) -> None:
    build = orphaned_build(1_800_000_000.0)
    assert problems_of("WorkspaceBuild", build.model_dump(mode="json")) == []
    assert world.get(f"/api/v2/workspacebuilds/{build.id}").json()["job"]["status"] == "succeeded"


def row_of(**fields: Any) -> ObjectRow:
    index = an_index()
    index.apply(WORKSPACES, "ADDED", a_workspace("tried", **fields))
    row = index.workspaces.get(uid(WORKSPACES, "tried"))
    assert row is not None
    return row


def test_only_values_that_differ_are_set() -> None:
    built = [{"name": "cpus", "value": "2"}, {"name": "region", "value": "eu"}]
    row = row_of(parameters=built)
    wanted = [WorkspaceBuildParameter(name="cpus", value="4"), WorkspaceBuildParameter(name="region", value="eu")]
    assert parameters_to_set(row, wanted) == {"cpus": "4"}
    assert parameters_to_set(row, []) == {}


ACTIVE, OLDER = version_id(ACME, VERSION), version_id(ACME, "docker-ffffffff")


@pytest.mark.parametrize(
    ("fields", "wanted", "pinned"),
    [
        ({}, None, None),
        ({}, NIL, None),
        ({}, ACTIVE, None),
        ({}, OLDER, "docker-ffffffff"),
        ({"completedBuild": 1, "version": "docker-ffffffff"}, OLDER, None),
        ({"completedBuild": 1, "version": "docker-ffffffff"}, ACTIVE, VERSION),
        ({"completedBuild": 1, "version": "docker-ffffffff", "spec": {"updatePolicy": "OnStart"}}, ACTIVE, None),
        ({"completedBuild": 1, "version": "docker-ffffffff", "spec": {"updatePolicy": "OnStart"}}, OLDER, None),
        ({"version": "docker-ffffffff", "spec": {"updatePolicy": "Always"}}, ACTIVE, None),
        ({"spec": {"templateRef": {"name": "docker", "version": "docker-ffffffff"}}}, OLDER, None),
        ({"spec": {"templateRef": {"name": "docker", "version": "docker-ffffffff"}}}, ACTIVE, VERSION),
    ],
)
def test_a_version_is_pinned_only_if_a_start_would_use_another(
    fields: dict[str, Any], wanted: UUID | None, pinned: str | None
) -> None:
    assert version_to_pin(row_of(**fields), wanted, an_index()) == pinned


def test_a_version_of_another_template_is_refused() -> None:
    with pytest.raises(Problem, match="no such version"):
        version_to_pin(row_of(), UUID(uid(TEMPLATES, "elsewhere")), an_index())
