"""Lists in every form, of objects that no operator touches; and what is explained and predicted about them."""

from collections.abc import Callable

import pytest
import yaml
from rich.cells import cell_len

from integration.cli.conftest import LONG_NAME, ON_PREM, WIDE, People, people_of
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.programs.cli import Cli
from support.test_namespace import ProductNamespace, a_job, names

pytestmark = pytest.mark.usefixtures("filled")

LISTS = tuple((kind, "list") for kind in ("jobs", "daemons", "pools", "workspaces", "templates"))


@pytest.mark.parametrize("kind", LISTS, ids=" ".join)
def test_nothing_is_valid_in_every_form(
    kind: tuple[str, str], cluster: Cluster, make_namespace: Callable[[], str]
) -> None:
    viewer = people_of(cluster, make_namespace()).viewer
    assert viewer.run(*kind, "-o", "json").document == []
    assert yaml.safe_load(viewer.run(*kind, "-o", "yaml").out) == []
    assert viewer.run(*kind, "-o", "name").out == ""
    table = viewer.run(*kind)
    assert table.out == ""
    assert "found." in table.err


def test_jobs_stand_in_their_queue_with_their_reason(people: People) -> None:
    answer = people.viewer.run("jobs", "list", "-c", "name,status,reason,queue")
    rows = {line.split()[0]: line.split()[1:] for line in answer.lines[1:]}
    assert answer.lines[0].split() == ["NAME", "STATUS", "REASON", "QUEUE"]
    assert rows["dev-1"] == ["Pending", "1/4"]  # d1 is free for it
    assert rows["dev-2"] == ["Pending", "2/4"]
    assert rows["dev-10"] == ["Pending", "3/4"]
    assert rows["build-1"] == ["Pending", "4/4"]
    assert rows["build-2"] == ["Pending", "WorkspaceBusy"]
    assert rows["held"] == ["Pending", "Suspended"]
    assert rows["cloudy"] == ["Pending", "DaemonsCordoned", "1/1"]
    assert rows[LONG_NAME] == ["Pending", "NoMatchingDaemon", "1/1"]


def test_only_what_needs_somebody_is_stuck(people: People) -> None:
    found = people.viewer.run("jobs", "list", "-s", "stuck", "-o", "json").document
    assert sorted(each["metadata"]["name"] for each in found) == sorted(["cloudy", LONG_NAME, "import"])
    assert {each["queue"]["reason"] for each in found} == {"DaemonsCordoned", "NoMatchingDaemon"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--tag", "environment=cloud"], ["cloudy"]),
        (["--tag", f"city={WIDE}"], [LONG_NAME]),
        (["--type", "template_version_import"], ["import"]),
        (["--template", "docker"], ["dev-1"]),
        (["--workspace", "shared"], ["build-1", "build-2"]),
        (["-s", "failed,canceled"], []),
        (["-i", "somebody-else"], []),
        (["--daemon", "d1"], []),
        (["--tag", "environment=on-prem", "--sort", "queue", "--since", "1h"],
         ["dev-1", "dev-2", "dev-10", "build-1", "build-2", "held"]),
        (["-s", "pending", "--tag", "environment=on-prem", "--sort", "-name"],
         ["held", "dev-10", "dev-2", "dev-1", "build-2", "build-1"]),
    ],
    ids=str,
)  # fmt: skip
def test_jobs_are_chosen_and_sorted(options: list[str], expected: list[str], people: People) -> None:
    out = people.viewer.run("jobs", "ls", *options, "-o", "jsonpath={.items[*].metadata.name}").out
    assert out.split() == expected


def test_a_limit_keeps_the_newest_and_says_so(people: People) -> None:
    answer = people.viewer.run("jobs", "list", "-l", "2", "-c", "name")
    assert len(answer.lines) == 3
    assert "The newest 2 of 9 jobs" in answer.err


def test_every_form_of_the_same_list_has_the_same_jobs(people: People) -> None:
    viewer = people.viewer
    from_json = [each["metadata"]["name"] for each in viewer.run("jobs", "list", "-o", "json").document]
    from_yaml = [each["metadata"]["name"] for each in yaml.safe_load(viewer.run("jobs", "list", "-o", "yaml").out)]
    from_names = [line.split("/")[1] for line in viewer.run("jobs", "list", "-o", "name").lines]
    assert from_json == from_yaml == from_names
    assert sorted(line.split()[0] for line in viewer.run("jobs", "list", "-o", "wide").lines[1:]) == sorted(from_json)


def test_a_terminal_of_sixty_columns_is_kept_to_and_a_pipe_is_not_cut(people: People) -> None:
    narrow = Cli(people.viewer.kubeconfig, people.viewer.namespace, {"COLUMNS": "60"})
    for command in (("jobs", "list"), ("jobs", "list", "-o", "wide"), ("daemons", "list"), ("pools", "list")):
        assert max(cell_len(line) for line in narrow.run(*command).lines) <= 60
    piped = people.viewer.run("jobs", "list")
    assert LONG_NAME in piped.out
    assert f"city={WIDE}" in piped.out
    assert "\x1b" not in piped.out


def test_all_namespaces_are_for_who_may_see_them(filled: ProductNamespace, people: People) -> None:
    answer = people.root.run("jobs", "list", "-A", "-s", "pending", "-o", "json")
    assert filled.namespace in {each["metadata"]["namespace"] for each in answer.document}
    assert people.viewer.attempt("jobs", "list", "-A").code == 4


def test_daemons_are_listed_with_failures_and_with_jobs_blocked_by_tags(people: People) -> None:
    rows = people.viewer.run("daemons", "list", "--failing", "-c", "name,status,failures,blocked by tags").lines
    assert rows[1].split()[:3] == ["d1", "Idle", "4"]
    shown = people.viewer.run("daemons", "show", "d1").out
    assert "4 failures in a row" in shown
    assert people.viewer.run("daemons", "list", "-s", "cordoned", "-o", "name").out.strip().endswith("/d2")
    assert people.viewer.run("daemons", "list", "-s", "offline", "-c", "name,last seen").lines[1].split() == [
        "never-seen",
        "never",
    ]


def test_a_match_is_predicted_before_the_job_is_submitted(people: People) -> None:
    viewer = people.viewer
    tags = [part for key, value in ON_PREM.items() for part in ("--tag", f"{key}={value}")]
    free = viewer.run("match", *tags, "--provisioner", "echo")
    assert "It would start now" in free.out
    assert "d1" in free.out
    answer = viewer.attempt("match", "--tag", "environment=cloud", "--provisioner", "echo", "-o", "json")
    assert answer.code == 5
    assert answer.document["reason"] == "DaemonsCordoned"
    assert [each["name"] for each in answer.document["daemons"] if each["matches"]] == ["d2"]


def test_why_works_without_an_operator(people: People) -> None:
    text = people.viewer.run("jobs", "why", "import").out
    assert "NoMatchingDaemon" in text
    assert "never-seen" in text
    document = people.viewer.run("jobs", "why", "cloudy", "-o", "json").document
    assert document["stuck"] is True
    assert document["queue"] == {"position": 1, "size": 1}
    assert document["estimate"] is None
    assert "set spec.cordoned of daemon d2 to false" in document["message"]
    assert "First goes build-1" in people.viewer.run("jobs", "why", "build-2").out


def test_more_jobs_than_a_page_holds_are_all_listed(cluster: Cluster, make_namespace: Callable[[], str]) -> None:
    namespace = make_namespace()
    count = 620
    items = [a_job(name, tags={"many": "yes"}) for name in names("job", count)]
    product = Cli(cluster.kubeconfig, namespace)
    Kubectl(cluster.kubeconfig, namespace).create_all(items)
    assert len(product.run("jobs", "list").lines) == count + 1
    document = product.run("jobs", "list", "-o", "json").document
    assert len({each["metadata"]["name"] for each in document}) == count
    assert {each["queue"]["size"] for each in document} == {count}


def test_workspaces_are_listed_with_what_builds_them(people: People) -> None:
    answer = people.viewer.run("workspaces", "list", "-c", "name,status,template,owner,build,job")
    assert answer.lines[0].split() == ["NAME", "STATUS", "TEMPLATE", "OWNER", "BUILD", "JOB"]
    assert answer.lines[1].split() == ["lab", "Running", "docker", "sam", "7", "lab-7"]
    (document,) = people.viewer.run("workspaces", "list", "-o", "json").document
    assert document["status"]["latestBuild"]["job"] == "lab-7"


def test_templates_are_listed_with_their_version_and_their_workspaces(people: People) -> None:
    answer = people.viewer.run("templates", "list", "-c", "name,active version,workspaces")
    assert [line.split() for line in answer.lines[1:]] == [["docker", "docker-1", "1"]]
    assert people.viewer.run("templates", "list", "-o", "name").lines == ["workspacetemplate.provisioner.dev/docker"]
