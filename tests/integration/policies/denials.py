"""Requests for all that docs/security.md denies, by its table "What each of them is denied"."""

from collections.abc import Mapping

from integration.policies.cases.case import Request, create, delete, patch, spec, status
from integration.policies.cases.objects import (
    NOW,
    RUNS_LOCK,
    config_map,
    event,
    lease,
    log_archive,
    owner_reference,
    secret,
    token_secret,
    with_metadata,
)
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
)
from support.manifests import Manifest

WHO: Mapping[str, str] = {
    "`provisioner-viewer`": "viewer",
    "`provisioner-submitter`": "submitter",
    "`provisioner-admin`": "namespace-admin",
    "the controller": "controller",
    "a daemon Pod": "POD-mine",
    "a daemon outside the cluster": "named-daemon",
}
"""The users of the table, and who they are in the world of the cases."""
_POD: Manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "new"}, "spec": {"containers": []}}
_LABELED: Manifest = {"metadata": {"labels": {"changed": "yes"}}}
_RUNNING = {"phase": "Running", "startedAt": NOW}
_NEW_SPECS = (
    create(a_job_manifest("new")),
    create(a_workspace_manifest("new")),
    create(a_template_manifest("new")),
    create(a_pool_manifest("new")),
)
_STATUSES = (
    status("pj", "plain", **_RUNNING),
    status("pd", "named", state="Idle"),
    status("ws", "own", phase="Running"),
    status("workspacetemplate", "used", workspaces=0),
)
_OF_ANOTHER_NAMESPACE = (
    Request(lambda api, _: type(api)(api.kubeconfig, "default").list_all("secret")),
    Request(lambda api, _: type(api)(api.kubeconfig, "default").list_all("pj")),
    create(with_metadata(secret("tfstate-default-new-ws"), namespace="default")),
)
_FOREIGN_FILES = (
    create(config_map("another")),
    patch("configmap", "files", {"data": {"main.tf": ""}}),
    create(log_archive("mine-pending", writer="other")),
    delete("configmap", "other-running-log"),
)
_FOREIGN_SECRETS = (
    create(secret("another")),
    patch("secret", "cloud", _LABELED),
    delete("secret", "cloud"),
    delete("secret", "tfplan-mine-failed-0"),
    create(token_secret("tfstate-default-new-ws")),
    create(secret("state-versions-dev")),
    create(lease("another")),
    delete("lease", "leader"),
)
_OWNED_BY_A_POD = {"metadata": {"ownerReferences": [owner_reference("Pod", "mine", "UID-OF-Pod-mine")]}}

DENIED: Mapping[str, Mapping[str, tuple[Request, ...]]] = {
    "`provisioner-viewer`": {
        "every write": (*_NEW_SPECS, *_STATUSES, spec("pj", "plain", cancel=True), delete("ws", "nobodys")),
    },
    "`provisioner-submitter`": {
        "canceling a job, unless its workspace is the user's own and the template has `allowUserCancel`": (
            spec("pj", "plain", cancel=True),
            spec("pj", "submitted", cancel=True),
            spec("pj", "strict", cancel=True),
            spec("pj", "of-boss", cancel=True),
            patch("pj", "plain", _OWNED_BY_A_POD),
        ),
        "deleting a job": (delete("pj", "plain"), delete("pj", "submitted"), delete("pj", "lenient")),
        "deciding when another user's job runs or is deleted": (
            spec("pj", "plain", suspend=True),
            spec("pj", "plain", priority=-5),
            spec("pj", "plain", ttlSecondsAfterFinished=0),
            patch("pj", "plain", {"metadata": {"finalizers": ["example.org/x"]}}),
        ),
        "acting in another user's name": (
            create(a_job_manifest("new", initiator="boss")),
            create(a_job_manifest("new", workspaceRef={"name": "private", "owner": "boss"})),
            create(a_job_manifest("new", workspaceRef={"name": "private", "uid": "some-uid"})),
            create(a_job_manifest("new", tags={"scope": "user", "owner": "boss"})),
            create(a_workspace_manifest("new", owner="boss")),
        ),
        "another user's workspace": (spec("ws", "private", running=False), delete("ws", "private")),
        "approving a plan, or doing without approval where it is required": (
            spec("ws", "own", approved="b" * 64),
            spec("ws", "guarded", approval="Automatic"),
            spec("ws", "guarded", deletionPolicy="Orphan"),
            patch("ws", "guarded", {"metadata": {"finalizers": None}}),
            create(a_job_manifest("new", planRef={"job": "guarded-1", "digest": "b" * 64})),
        ),
        "templates, pools and daemons, except reading": (
            create(a_template_manifest("new")),
            spec("workspacetemplate", "unused", priority=1),
            create(a_pool_manifest("new")),
            create(a_daemon_manifest("new")),
            spec("pd", "named", cordoned=True),
        ),
        "every status": _STATUSES,
    },
    "`provisioner-admin`": {
        "every status": _STATUSES,
        "deleting a template in use without its annotation": (delete("workspacetemplate", "used"),),
        "Leases, except reading, and releasing locks of states": (
            create(lease("another")),
            patch("lease", "leader", _LABELED),
            patch("lease", RUNS_LOCK, {"spec": {"holderIdentity": "boss"}}),
            delete("lease", RUNS_LOCK),
        ),
    },
    "the controller": {
        "Secrets": (
            Request(lambda api, _: api.get("secret", "cloud")),
            Request(lambda api, _: api.list_all("secret")),
            create(secret("another")),
        ),
        "canceling a job that a user submitted, or that has begun": (
            spec("pj", "plain", cancel=True),
            spec("pj", "build-begun", cancel=True),
        ),
        "changing a ConfigMap or a Pod": (
            patch("configmap", "files", {"data": {"main.tf": ""}}),
            patch("pod", "mine", _LABELED),
        ),
    },
    "a daemon Pod": {
        "jobs of other daemons and of none": (
            status("pj", "other-running", stage="plan"),
            status("pj", "plain", stage="plan"),
        ),
        "heartbeats of other daemons": (status("pd", "other", state="Idle"), status("pd", "named", state="Idle")),
        "every spec": (
            *_NEW_SPECS,
            create(a_daemon_manifest("new")),
            spec("pj", "mine-running", cancel=True),
            spec("pd", "mine", capacity=9),
            delete("pj", "mine-running"),
        ),
        "ConfigMaps, except reading, and archives of its jobs' logs": _FOREIGN_FILES,
        "Secrets and Leases, except reading, and states of workspaces with their locks": _FOREIGN_SECRETS,
        "Events, except about locks of states that it took over": (
            create(event("FailedScheduling")),
            create(event(reportingController="default-scheduler")),
        ),
        "Pods": (create(_POD), patch("pod", "mine", _LABELED), delete("pod", "other")),
        "everything in other namespaces": _OF_ANOTHER_NAMESPACE,
    },
    "a daemon outside the cluster": {
        "acting for daemons that it may not `impersonate`": (
            status("pj", "other-running", stage="plan"),
            status("pd", "other", state="Idle"),
            create(log_archive("mine-pending")),
        ),
        "registering them": (create(a_daemon_manifest("another")), spec("pd", "mine", capacity=9)),
        "cordons, owners and finalizers": (
            spec("pd", "named-cordoned", cordoned=False),
            patch("pd", "named", _OWNED_BY_A_POD),
        ),
        "ConfigMaps, Secrets, Leases, Pods and other namespaces like a daemon Pod": (
            *_FOREIGN_FILES,
            *_FOREIGN_SECRETS,
            create(_POD),
            *_OF_ANOTHER_NAMESPACE,
        ),
    },
}
"""By user, and by what the page denies them."""
