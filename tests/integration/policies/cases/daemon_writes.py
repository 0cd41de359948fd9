"""Objects that a daemon stores: log archives, and Terraform's state with its lock."""

from collections.abc import Callable
from typing import Any

from integration.policies.cases.case import Case, Request, create, delete, patch
from integration.policies.cases.objects import (
    STATE,
    an_object,
    config_map,
    event,
    kept_plan,
    lease,
    log_archive,
    owner_reference,
    secret,
    state_versions,
    token_secret,
    with_metadata,
)
from provisioner_operator.api.v1alpha1.names import API_VERSION
from support.manifests import Manifest

_ONLY_ARCHIVES = "a daemon may create and update no ConfigMaps but log archives of its jobs"
_JOB_UID = "UID-OF-ProvisionerJob-mine-pending"
_JOB = owner_reference("ProvisionerJob", "mine-pending", _JOB_UID, API_VERSION)
_OTHER_JOB = owner_reference("ProvisionerJob", "plain", "UID-OF-ProvisionerJob-plain", API_VERSION)
_NO_DAEMONS = ("controller", "overseer", "system:a-component")
_NO_PODS = ("external-daemon", "spokesman")


def _logs(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("daemon-logs", title, who, request, refused=says)


def _state(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("daemon-state", title, who, request, refused=says)


def _owned_by(*owners: dict[str, str]) -> Request:
    return create(log_archive("mine-pending", ownerReferences=list(owners)))


def _data(kind: str, name: str) -> Request:
    return patch(kind, name, {"metadata": {"labels": {"changed": "yes"}}})


def _archived(name: str, **metadata: Any) -> Request:
    return patch("configmap", name, {"data": {"log": "more"}, "metadata": metadata})


def _written(kind: str, name: str) -> Request:
    return patch(kind, name, {"metadata": {"labels": {"tfstate": "true"}}})


_FOREIGN_METADATA: tuple[tuple[str, dict[str, Any]], ...] = (
    ("a label of others", {"labels": {"provisioner.dev/job": "mine-running", "team": "x"}}),
    ("an annotation of others", {"annotations": {"provisioner.dev/daemon": "mine", "team": "x"}}),
    ("a finalizer", {"finalizers": ["example.org/x"]}),
)

LOGS = (
    _logs("its own archive", "POD-mine", create(log_archive("mine-pending"))),
    _logs("more of its own archive", "POD-mine", _archived("mine-running-log")),
    _logs(
        "more of an archive that others labeled and annotated",
        "POD-mine",
        _archived("backed-up-log", labels={}, annotations={}),
    ),
    *(
        _logs(f"{title} on {which}", "POD-mine", request, "a daemon may set on a log archive only the label")
        for title, metadata in _FOREIGN_METADATA
        for which, request in (
            ("a new archive", create(with_metadata(log_archive("mine-running"), **metadata))),
            ("a stored archive", _archived("mine-running-log", **metadata)),
        )
    ),
    _logs(
        "an archive of another API's job",
        "POD-mine",
        _owned_by(_JOB | {"apiVersion": "example.org/v1"}),
        _ONLY_ARCHIVES,
    ),
    _logs(
        "an archive that holds up its job's end",
        "POD-mine",
        _owned_by(_JOB | {"blockOwnerDeletion": True}),
        _ONLY_ARCHIVES,
    ),
    _logs("a ConfigMap that is none", "POD-mine", create(config_map("another")), _ONLY_ARCHIVES),
    _logs("a stored ConfigMap that is none", "POD-mine", _data("configmap", "files"), _ONLY_ARCHIVES),
    _logs(
        "an archive's label under another name",
        "POD-mine",
        create(log_archive("mine-pending", name="files-of-a-template")),
        _ONLY_ARCHIVES,
    ),
    _logs("an archive without a label", "POD-mine", create(log_archive("mine-pending", labels={})), _ONLY_ARCHIVES),
    _logs("an archive of another job's", "POD-mine", _owned_by(_OTHER_JOB), _ONLY_ARCHIVES),
    _logs("an archive with a second owner", "POD-mine", _owned_by(_JOB, _OTHER_JOB), _ONLY_ARCHIVES),
    _logs(
        "an archive of something that is no job",
        "POD-mine",
        _owned_by(owner_reference("ConfigMap", "mine-pending", _JOB_UID)),
        _ONLY_ARCHIVES,
    ),
    _logs(
        "another owner of a stored archive",
        "POD-mine",
        patch(
            "configmap",
            "mine-running-log",
            {
                "metadata": {
                    "ownerReferences": [
                        owner_reference("ProvisionerJob", "mine-running", "UID-OF-ProvisionerJob-plain", API_VERSION)
                    ]
                }
            },
        ),
        _ONLY_ARCHIVES,
    ),
    _logs("the end of its own archive", "POD-mine", delete("configmap", "mine-running-log"), _ONLY_ARCHIVES),
    _logs(
        "another daemon's archive",
        "POD-mine",
        create(log_archive("mine-pending", writer="other")),
        'daemon "mine" may not write the log archive of daemon "other"',
    ),
    _logs(
        "a stored archive of another daemon, claimed",
        "POD-mine",
        patch("configmap", "other-running-log", {"metadata": {"annotations": {"provisioner.dev/daemon": "mine"}}}),
        'daemon "mine" may not write the log archive of daemon "other"',
    ),
    _logs(
        "an archive of nobody's, by a daemon that is no Pod",
        "external-daemon",
        create(log_archive("mine-pending", writer=None)),
        'daemon "" may not write the log archive of daemon ""',
    ),
    _logs(
        "the archive of the daemon it speaks for", "named-daemon", create(log_archive("mine-pending", writer="named"))
    ),
    _logs(
        "the archive of a daemon it does not speak for",
        "named-daemon",
        create(log_archive("mine-pending")),
        'may not write the log archive of daemon "mine"',
    ),
    *(_logs(f"{who} is no daemon", who, create(config_map("another"))) for who in _NO_DAEMONS),
    *(
        _logs(f"a ConfigMap that is none, by {who}, no Pod", who, create(config_map("another")), _ONLY_ARCHIVES)
        for who in _NO_PODS
    ),
)


def _states(
    kind: str,
    make: Callable[..., Manifest],
    *,
    prefix: str,
    foreign: str,
    others_prefix: str,
    annotation: str,
    others_annotation: str,
) -> tuple[Case, ...]:
    own, wrong = f"{prefix}{STATE}", f"{others_prefix}{STATE}"
    of_other_names = (
        (f"another {kind}", "another", create(make("another"))),
        (f"a {kind} with the prefix of the other kind", wrong, create(make(wrong))),
        (f"a {kind} that belongs to no workspace", f"{prefix}x", create(make(f"{prefix}x"))),
        (f"a stored {kind} of others", foreign, _written(kind, foreign)),
        (f"the end of a {kind} of others", foreign, delete(kind, foreign)),
    )
    new = f"{prefix}default-new-ws"
    owner = owner_reference("ConfigMap", "files", "UID-OF-ConfigMap-files")
    labels = {"tfstate": "true", "tfstateSecretSuffix": "new-ws", "tfstateWorkspace": "default"}
    whole = make(
        new, labels=labels | {"app.kubernetes.io/managed-by": "terraform"}, annotations={annotation: "whatever"}
    )
    of_other_contents = (
        (f"a {kind} with a label of others", create(make(new, labels={"team": "x"})), "the labels"),
        (f"another label on a {kind}", _data(kind, own), "the labels"),
        (
            f"another value of a {kind}'s label",
            patch(kind, own, {"metadata": {"labels": {"backup": "no"}}}),
            "the labels",
        ),
        (f"a {kind} with an annotation of others", create(make(new, annotations={"a": "b"})), "the annotations"),
        (
            f"a {kind} with the annotation of the other kind",
            create(make(new, annotations={others_annotation: "b"})),
            "the annotations",
        ),
        (
            f"another value of a {kind}'s annotation",
            patch(kind, own, {"metadata": {"annotations": {"backup": "no"}}}),
            "the annotations",
        ),
        (f"a {kind} with an owner", create(make(new, ownerReferences=[owner])), "the ownerReferences"),
        (
            f"an owner of a stored {kind}",
            patch(kind, own, {"metadata": {"ownerReferences": [owner]}}),
            "the ownerReferences",
        ),
        (f"a {kind} with a finalizer", create(make(new, finalizers=["example.org/x"])), "or finalizers"),
    )
    return (
        _state(f"a {kind} as Terraform writes it", "POD-mine", create(whole)),
        _state(f"a stored {kind} of Terraform's", "POD-mine", _written(kind, own)),
        _state(f"the end of a {kind} of Terraform's", "POD-mine", delete(kind, own)),
        *(
            _state(title, "POD-mine", request, f'{prefix}default-WORKSPACE-ws: the name "{name}" is another')
            for title, name, request in of_other_names
        ),
        *(_state(title, "POD-mine", request, says) for title, request, says in of_other_contents),
        *(_state(f"another {kind}, by {who}, no daemon", who, create(make("another"))) for who in _NO_DAEMONS),
        *(
            _state(f"another {kind}, by {who}, no Pod", who, create(make("another")), 'the name "another" is another')
            for who in _NO_PODS
        ),
    )


_OPAQUE = "only Secrets of the type Opaque"
_TYPES = (
    _state("a token in place of a state", "POD-mine", create(token_secret("tfstate-default-new-ws")), _OPAQUE),
    _state("a stored token in place of a state", "POD-mine", _written("secret", "tfstate-default-token-ws"), _OPAQUE),
    _state("the end of a token in place of a state", "POD-mine", delete("secret", "tfstate-default-token-ws"), _OPAQUE),
    _state("a part of a large state", "POD-mine", create(secret(f"tfstate-{STATE}-part-1"))),
    _state("a part of a state that could not be saved", "POD-mine", create(secret(f"unsaved-tfstate-{STATE}-0"))),
    _state(
        "an unsaved lock, which there is not",
        "POD-mine",
        create(lease(f"unsaved-lock-tfstate-{STATE}")),
        "are named lock-tfstate-default-WORKSPACE-ws",
    ),
    _state("the versions of a state", "POD-mine", create(state_versions("state-versions-dev"))),
    _state(
        "a Secret of others under the name of the versions",
        "POD-mine",
        create(secret("state-versions-dev")),
        "only Secrets of the type provisioner.dev/state-versions",
    ),
    _state("versions under the name of a state", "POD-mine", create(state_versions("tfstate-default-new-ws")), _OPAQUE),
    _state(
        "versions under another name",
        "POD-mine",
        create(state_versions("state-versions")),
        'the name "state-versions" is another',
    ),
    _state(
        "versions with a label",
        "POD-mine",
        create(with_metadata(state_versions("state-versions-dev"), labels={"team": "x"})),
        "the labels",
    ),
)


_ONLY_WHOLE_PLANS = "a daemon may create Secrets of plans"
_RUNNER = owner_reference("ProvisionerJob", "mine-running", "UID-OF-ProvisionerJob-mine-running", API_VERSION)
_PLANS = (
    _state("a plan that its job keeps", "POD-mine", create(kept_plan())),
    _state(
        "a plan of another type", "POD-mine", create(kept_plan() | {"type": "Opaque"}), "type provisioner.dev/kept-plan"
    ),
    _state("a plan with a label of a state", "POD-mine", create(kept_plan(labels={"tfstate": "true"})), "the labels"),
    _state("a plan with a finalizer", "POD-mine", create(kept_plan(finalizers=["example.org/x"])), "or finalizers"),
    _state("a plan that can be changed", "POD-mine", create(kept_plan() | {"immutable": False}), _ONLY_WHOLE_PLANS),
    _state("a plan under another job's name", "POD-mine", create(kept_plan("mine-pending")), _ONLY_WHOLE_PLANS),
    _state("the end of a plan", "POD-mine", delete("secret", "tfplan-mine-failed-0"), _ONLY_WHOLE_PLANS),
    *(
        _state(title, "POD-mine", create(kept_plan(ownerReferences=owners)), _ONLY_WHOLE_PLANS)
        for title, owners in (
            ("a plan with a second owner", [_RUNNER, _OTHER_JOB]),
            ("a plan that holds up its job's end", [_RUNNER | {"blockOwnerDeletion": True}]),
            ("a plan of another API's job", [_RUNNER | {"apiVersion": "example.org/v1"}]),
            ("a plan of something that is no job", [_RUNNER | {"kind": "Thing"}]),
        )
    ),
)


def _event(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("daemon-events", title, who, request, refused=says)


_ONLY_LOCKS = "a daemon may record only Events StateLockReleased about provisionerjobs"
_FOREIGN_EVENTS = (
    ("an Event with another reason", event("FailedScheduling")),
    ("an Event as another controller", event(reportingController="default-scheduler")),
    ("an Event about a Workspace", event(regarding=an_object("Workspace"))),
    ("an Event about a job of another API", event(regarding=an_object("ProvisionerJob", "example.org/v1"))),
)
EVENTS = (
    _event("the Event about a lock", "POD-mine", create(event())),
    *(_event(title, "POD-mine", create(manifest), _ONLY_LOCKS) for title, manifest in _FOREIGN_EVENTS),
    *(_event(f"another Event, by {who}, no daemon", who, create(event("Other"))) for who in _NO_DAEMONS),
    *(_event(f"another Event, by {who}, no Pod", who, create(event("Other")), _ONLY_LOCKS) for who in _NO_PODS),
)

CASES = (
    *LOGS,
    *EVENTS,
    *_states(
        "secret",
        secret,
        prefix="tfstate-",
        foreign="cloud",
        others_prefix="lock-tfstate-",
        annotation="encoding",
        others_annotation="app.terraform.io/lock-info",
    ),
    *_states(
        "lease",
        lease,
        prefix="lock-tfstate-",
        foreign="leader",
        others_prefix="tfstate-",
        annotation="app.terraform.io/lock-info",
        others_annotation="encoding",
    ),
    *_TYPES,
    *_PLANS,
)
