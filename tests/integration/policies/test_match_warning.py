"""The policy of the component `match-warnings` warns by the core's rule, names the core's nearest supply, and refuses nothing."""

from collections.abc import Mapping
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import DaemonState, Provisioner
from provisioner_operator.api.v1alpha1.names import SUPPLY_NAME, TEMPLATE_LABEL
from provisioner_operator.core.model.matching import Demand, Supply, effective_tags, satisfies
from provisioner_operator.core.model.records import Daemon, Offer
from provisioner_operator.core.scheduling.smallest_change import (
    AddProvisioner,
    Candidate,
    Edit,
    ScopeDaemon,
    ScopeJob,
    TagDaemon,
    TagJob,
    advised_daemon,
    smallest_change,
)
from provisioner_operator.core.scheduling.supplies import (
    OfferedSupply,
    SupplyContent,
    SupplyRecord,
    TemplateDemand,
    WriteSupply,
)
from support.builders.manifests import a_job_manifest, a_template_manifest, a_workspace_manifest
from support.cluster.kubectl import Kubectl
from support.cluster.match_warnings import a_supply_manifest, await_warnings, install_match_warnings
from support.cluster.shared_cluster import Cluster
from support.manifests import Manifest

NS = "any"
GENERATIONS = count()
SOURCE = {"inline": {"files": {"main.tf": ""}}}
"""Files, which Terraform needs."""

tags = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
scopes = st.sampled_from(
    [{}, {}, {"scope": "organization"}, {"scope": "user", "owner": "ann"}, {"scope": "user", "owner": "ben"}]
)
all_tags = st.builds(lambda free, scope: free | scope, tags, scopes)
programs = st.sampled_from(list(Provisioner))
supplies = st.builds(
    lambda names, given: Supply(NS, frozenset(names), effective_tags(given)),
    st.sets(programs, min_size=1),
    all_tags,
)
demands = st.tuples(programs, all_tags)
refinements = st.tuples(programs, all_tags, all_tags)
"""Program and tags of a template, and tags of a workspace."""


@pytest.fixture(scope="module")
def admin(cluster: Cluster, module_namespace: str) -> Kubectl:
    """The cluster's administrator, in a namespace of the component's."""
    admin = Kubectl(cluster.kubeconfig, module_namespace)
    install_match_warnings(admin)
    admin.create(a_supply_manifest())
    return admin


def warnings(admin: Kubectl, manifest: Manifest) -> tuple[str, ...]:
    """Create the object as a dry run, which is never refused, and return the warnings."""
    reply = admin.api.create(manifest, dry_run=True)
    assert reply.ok, reply
    return reply.warnings


def publish(admin: Kubectl, content: SupplyContent) -> None:
    """Write the content, and wait until the policy compares with it: the nearest supply has another name each time."""
    meta = admin.get("provisionersupply", SUPPLY_NAME)["metadata"]
    known = SupplyRecord(NS, meta["uid"], 1, SupplyContent(), None)
    operations = WriteSupply(NS, known, content).patch(known).operations()
    admin.patch("provisionersupply", SUPPLY_NAME, [dict(each) for each in operations])
    assert content.supplies
    generation = content.supplies[0].offered_by.partition("-")[0]
    probe = a_job_manifest("probe", tags={"nobody": "has"})
    await_warnings(admin, probe, lambda found: any(f"{generation}-" in each for each in found))


def named(offers: list[Supply]) -> tuple[OfferedSupply, ...]:
    """Return the offers with names that no earlier example used."""
    generation = f"g{next(GENERATIONS)}"
    return tuple(OfferedSupply(f"{generation}-{n:02} daemon", each) for n, each in enumerate(offers))


def expected(offers: tuple[OfferedSupply, ...], demand: Demand) -> tuple[Edit, ...]:
    """Return the core's smallest change; nothing if one of the supplies satisfies the demand."""
    if any(satisfies(each.supply, demand) for each in offers):
        return ()
    return smallest_change(demand, [_candidate(each) for each in offers])


def _candidate(offer: OfferedSupply) -> Candidate:
    asked = Offer(frozenset(), frozenset(), 1, 300, 180)
    daemon = Daemon(
        *(NS, offer.offered_by, "uid", 1, offer.supply, asked), lost_after=300, cancel_grace=180, state=DaemonState.IDLE
    )
    return Candidate(daemon, online=True, free=True)


def words(edit: Edit) -> str:
    """Return the words of the warning that stand for an edit."""
    match edit:
        case AddProvisioner(_, provisioner):
            return f"does not run {provisioner}"
        case TagDaemon(_, key, value):
            return f"{key}={value}"
        case TagJob(_, key, value):
            return f"has the tag {key}={value}, and runs only jobs with a tag"
        case ScopeDaemon() | ScopeJob():
            return "runs only jobs with scope="
        case _:
            raise AssertionError(edit)


def compare(found: tuple[str, ...], offers: tuple[OfferedSupply, ...], demand: Demand) -> None:
    """Require that the warnings are those of the core's smallest change."""
    edits = expected(offers, demand)
    assert len(found) == bool(edits)
    for warning in found:
        assert f"the nearest, {advised_daemon(edits)}, " in warning
        obstacles = warning.partition("the nearest, ")[2]
        assert [edit for edit in edits if words(edit) not in obstacles] == []
        lacking = obstacles.partition("lacks the tag")[2].partition(";")[0]
        assert lacking.count("=") == sum(isinstance(edit, TagDaemon) for edit in edits)


def test_jobs_of_the_controller_are_not_compared(admin: Kubectl) -> None:
    publish(admin, SupplyContent(named([Supply(NS, frozenset({Provisioner.ECHO}), effective_tags({}))])))
    unmatched = a_job_manifest(tags={"nobody": "has"})
    assert warnings(admin, unmatched)
    assert not warnings(admin, with_labels(unmatched, {TEMPLATE_LABEL: "machine"}))


def with_labels(manifest: Manifest, labels: Mapping[str, str]) -> Manifest:
    """Return the manifest with these labels."""
    return {**manifest, "metadata": {**manifest["metadata"], "labels": dict(labels)}}


@given(
    offers=st.lists(supplies, min_size=1, max_size=5),
    jobs=st.lists(demands, min_size=4, max_size=8),
    workspaces=st.lists(refinements, min_size=2, max_size=4),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_warnings_are_those_of_the_core(
    admin: Kubectl,
    offers: list[Supply],
    jobs: list[tuple[Provisioner, Mapping[str, str]]],
    workspaces: list[tuple[Provisioner, Mapping[str, str], Mapping[str, str]]],
) -> None:
    offered = named(offers)
    templates = {f"t{n}": TemplateDemand(program, given) for n, (program, given, _) in enumerate(workspaces)}
    publish(admin, SupplyContent(offered, templates))

    for program, asked in jobs:
        demand = Demand(NS, program, effective_tags(asked))
        for manifest in (
            a_job_manifest(provisioner=program, tags=asked, source=SOURCE),
            a_template_manifest(provisioner=program, tags=asked, source=SOURCE),
        ):
            compare(warnings(admin, manifest), offered, demand)
    for n, (program, inherited, own) in enumerate(workspaces):
        demand = Demand(NS, program, effective_tags({**inherited, **own}))
        manifest = a_workspace_manifest(templateRef={"name": f"t{n}"}, tags=own)
        compare(warnings(admin, manifest), offered, demand)
