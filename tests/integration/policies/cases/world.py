"""The users and the stored objects of a namespace in which the cases are tried."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.policies.cases import objects
from support.builders.manifests import role_binding
from support.cluster.kubectl import Kubectl
from support.cluster.pods import a_daemon_pod, daemon_binding, service_account, token_kubeconfig
from support.cluster.shared_cluster import GivenCluster
from support.manifests import Manifest

LONG_NAME = "l" * 254
"""A user whose name does not fit a field."""
CLUSTER_ROLES: Mapping[str, tuple[str, ...]] = {
    "viewer": ("viewer",),
    "submitter": ("submitter",),
    "namespace-admin": ("admin",),
    LONG_NAME: ("admin",),
    "controller": ("operator",),
    "external-daemon": ("daemon",),
    "named-daemon": ("daemon",),
    "spokesman": ("daemon", "external-daemon"),
    "overseer": ("daemon", "admin"),
    "system:a-component": ("daemon", "submitter"),
    "system:serviceaccount:elsewhere:robot": ("submitter",),
    "system:serviceaccount:kube-system:collector": ("submitter",),
}
"""The users and their ClusterRoles, without `provisioner-`; those that run as Pods are `POD-mine` and so on."""
PODS = ("mine", "other", "reborn", "odd")


def _rule(group: str, resources: str, verbs: str, *names: str) -> Manifest:
    rule: Manifest = {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}
    return rule | ({"resourceNames": list(names)} if names else {})


_OURS = "provisioner.dev"
_EVERYTHING = [
    # More than any role of the product grants, so that only the policies stand in the way.
    _rule("", "configmaps secrets", "get create update patch delete"),
    _rule("coordination.k8s.io", "leases", "get create update patch delete"),
    _rule("events.k8s.io", "events", "create"),
    _rule(_OURS, "provisionerjobs provisionerdaemons provisionerjobs/status provisionerdaemons/status", "get patch"),
    _rule(_OURS, "provisionerdaemons", "create delete"),
    _rule(_OURS, "workspacetemplates", "get delete"),
]
RULES: Mapping[str, list[Manifest]] = {
    "canceler": [
        _rule(_OURS, "provisionerjobs", "get create patch cancel"),
        _rule("coordination.k8s.io", "leases", "get patch delete"),
    ],
    "elector": [_rule("coordination.k8s.io", "leases", "get patch")],
    "named-daemon": [_rule(_OURS, "provisionerdaemons", "impersonate", "named", "named-new", "named-cordoned")],
}


@dataclass(frozen=True, slots=True)
class World:
    """A namespace that is ready for the cases."""

    users: Mapping[str, Kubectl]
    uids: Mapping[str, str]
    """By `UID-OF-KIND-NAME`; also the namespace, by `THE-NAMESPACE`."""


def build(admin: Kubectl, folder: Path, *, beyond_roles: bool = True) -> World:
    """Fill the administrator's new namespace; `beyond_roles` if users may do more than the product's roles permit."""
    assert admin.namespace is not None
    impersonated = GivenCluster(admin.kubeconfig, folder)
    users = {user: Kubectl(impersonated.kubeconfig_for(user), admin.namespace) for user in (*CLUSTER_ROLES, *RULES)}
    created = _create(
        admin,
        [
            *_rights(admin.namespace, beyond_roles=beyond_roles),
            service_account(),
            *(a_daemon_pod(name) for name in PODS),
        ],
    )
    uids = {"THE-NAMESPACE": admin.namespace, **_uids(created)}
    for batch in (objects.JOBS, objects.OTHERS):
        uids |= _uids(_create(admin, _filled(batch, uids)))
    _create(users[LONG_NAME], objects.UNSTAMPED)
    for step in objects.STATUSES:
        given: Manifest = {"apiVersion": "v1", "kind": "List", "items": _filled(step, uids)}
        admin.run("apply", "--server-side", "--subresource=status", "--validate=false", "-f", "-", given=given)
    pods = {each["metadata"]["name"]: each for each in created if each["kind"] == "Pod"}
    for name in PODS:
        users[f"POD-{name}"] = Kubectl(token_kubeconfig(admin, pods[name], folder), admin.namespace)
    return World(users, uids)


def _create(user: Kubectl, manifests: list[Manifest]) -> list[Manifest]:
    given: Manifest = {"apiVersion": "v1", "kind": "List", "items": manifests}
    items: list[Manifest] = user.json("apply", "-f", "-", given=given)["items"]
    return items


def _uids(created: list[Manifest]) -> dict[str, str]:
    return {f"UID-OF-{each['kind']}-{each['metadata']['name']}": each["metadata"]["uid"] for each in created}


def _filled(manifests: list[Manifest], uids: Mapping[str, str]) -> list[Manifest]:
    text = json.dumps(manifests)
    for word in sorted(uids, key=len, reverse=True):
        text = text.replace(word, uids[word])
    filled: list[Manifest] = json.loads(text)
    return filled


def _rights(namespace: str, *, beyond_roles: bool) -> list[Manifest]:
    group = "rbac.authorization.k8s.io"
    bindings = [
        role_binding(user, f"provisioner-{role}", namespace=namespace)
        for user, roles in CLUSTER_ROLES.items()
        for role in roles
    ]
    for number, binding in enumerate(bindings):
        # A user's name may be no object's.
        binding["metadata"]["name"] = f"case-{number}"

    def own_role(name: str, rules: list[Manifest], subjects: list[dict[str, Any]]) -> list[Manifest]:
        meta = {"name": name, "namespace": namespace}
        ref = {"apiGroup": group, "kind": "Role", "name": name}
        return [
            {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": rules},
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": meta,
                "roleRef": ref,
                "subjects": subjects,
            },
        ]

    everybody = [
        {"apiGroup": group, "kind": "User", "name": user}
        for user in CLUSTER_ROLES
        if user not in {"viewer", "submitter"}
    ]
    pods: dict[str, Any] = {"kind": "ServiceAccount", "name": "provisioner-daemon", "namespace": namespace}
    return [
        *bindings,
        *daemon_binding(namespace),
        *(own_role("everything", _EVERYTHING, [*everybody, pods]) if beyond_roles else ()),
        *(
            each
            for user, rules in RULES.items()
            for each in own_role(user, rules, [{"apiGroup": group, "kind": "User", "name": user}])
        ),
    ]
