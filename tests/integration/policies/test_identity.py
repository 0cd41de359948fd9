"""Nobody acts in another's name without the verb `impersonate`; and the API server stamps who acts."""

from collections.abc import Callable

import pytest

from support.builders.manifests import a_job_manifest
from support.cluster.installation import has_stamping
from support.cluster.kubectl import Kubectl, patch_arguments
from support.cluster.role_bindings import await_reader
from support.cluster.shared_cluster import Cluster
from support.manifests import Manifest

MISSING_RIGHT = '"submitter" lacks the verb "impersonate" on resource "provisionerjobs" of group "provisioner.dev"'
USER_TAGS = {"scope": "user", "owner": "submitter"}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"initiator": "boss"}, 'spec.initiator "boss" is not your own name'),
        ({"initiator": ""}, 'spec.initiator "" is not your own name'),
        ({"canceledBy": "boss"}, 'spec.canceledBy "boss" is not your own name'),
        ({"tags": USER_TAGS | {"owner": "boss"}}, 'the tag owner "boss" is not your own name'),
    ],
    ids=str,
)
def test_a_submitter_cannot_act_in_another_name(spec: Manifest, says: str, submitter: Kubectl) -> None:
    refusal = submitter.api.create(a_job_manifest(**spec)).refusal

    assert says in refusal
    assert MISSING_RIGHT in refusal


@pytest.mark.parametrize("spec", [{"initiator": "submitter"}, {"tags": USER_TAGS}, {"tags": {"owner": ""}}], ids=str)
def test_a_submitter_may_give_the_own_name(spec: Manifest, submitter: Kubectl) -> None:
    assert submitter.create(a_job_manifest(**spec))["spec"].items() >= spec.items()


def test_whoever_may_impersonate_acts_for_others(namespace_admin: Kubectl) -> None:
    for_another: Manifest = {"initiator": "boss", "tags": USER_TAGS, "cancel": True, "canceledBy": "boss"}

    assert namespace_admin.create(a_job_manifest(**for_another))["spec"].items() >= for_another.items()


def test_a_canceler_without_the_right_to_impersonate_cannot_blame_another(
    make_job: Callable[..., Manifest], cluster: Cluster, admin: Kubectl
) -> None:
    make_job()
    admin.run("create", "role", "canceler", "--verb=get,patch,cancel", "--resource=provisionerjobs.provisioner.dev")
    admin.run("create", "rolebinding", "canceler", "--role=canceler", "--user=canceler")
    await_reader(admin, "canceler", admin.namespace)
    canceler = Kubectl(cluster.kubeconfig_for("canceler"), admin.namespace)

    blaming = patch_arguments({"spec": {"cancel": True, "canceledBy": "boss"}})
    assert 'spec.canceledBy "boss" is not your own name' in canceler.refusal("patch", "pj", "job", *blaming)

    assert canceler.patch("pj", "job", {"spec": {"cancel": True}})["spec"]["cancel"]


def test_an_initiator_is_never_changed(make_job: Callable[..., Manifest], namespace_admin: Kubectl) -> None:
    make_job(initiator="submitter")

    refusal = namespace_admin.refusal(
        "patch", "pj", "job", *patch_arguments({"spec": {"initiator": "namespace-admin"}})
    )

    assert "spec.initiator: Forbidden: spec.initiator is immutable" in refusal


@pytest.fixture
def stamps(admin: Kubectl) -> bool:
    """Whether this API server stamps; older ones leave the fields as they are."""
    return has_stamping(admin)


def test_the_initiator_is_stamped_at_creation(submitter: Kubectl, *, stamps: bool) -> None:
    stored = submitter.create(a_job_manifest())

    assert stored["spec"].get("initiator") == ("submitter" if stamps else None)


def test_the_canceler_is_stamped_with_the_cancel(
    make_job: Callable[..., Manifest], namespace_admin: Kubectl, *, stamps: bool
) -> None:
    make_job()

    stored = namespace_admin.patch("pj", "job", {"spec": {"cancel": True}})

    assert stored["spec"].get("canceledBy") == ("namespace-admin" if stamps else None)


def test_nobody_is_stamped_as_canceler_of_a_job_that_runs_on(submitter: Kubectl) -> None:
    assert "canceledBy" not in submitter.create(a_job_manifest())["spec"]


@pytest.mark.parametrize("way", [("replace",), ("apply",), ("apply", "--server-side")], ids=" ".join)
def test_writing_the_original_manifest_again_keeps_the_stamps(
    way: tuple[str, ...], submitter: Kubectl, namespace_admin: Kubectl, *, stamps: bool
) -> None:
    canceled = a_job_manifest(cancel=True)
    namespace_admin.apply(canceled)

    answer = submitter.attempt(*way, "-f", "-", *(["--force-conflicts"] if len(way) > 1 else []), given=canceled)

    assert answer.ok, answer
    spec = submitter.get("pj", "job")["spec"]
    stamped = "namespace-admin" if stamps else None
    assert (spec.get("initiator"), spec.get("canceledBy")) == (stamped, stamped)
