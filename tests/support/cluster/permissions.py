"""Permissions of ServiceAccounts, as docs/security.md documents them and as the API server grants them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from kubernetes import client, config

from support.manifests import REPOSITORY

EVERYWHERE = "everywhere"
ITS_NAMESPACE = "its namespace"
_TABLE_HEAD = "| ServiceAccount | where |"
_TOKEN_SECONDS = 600


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One verb on one resource."""

    group: str
    resource: str
    """With its subresource: `provisionerjobs/status`."""
    verb: str
    name: str = ""
    """Name of the only permitted object; all objects if empty."""


def documented(account: str, where: str) -> set[Permission]:
    """Return the documented permissions of the ServiceAccount in a place."""
    found: set[Permission] = set()
    for row in _rows((REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")):
        accounts, place, groups, resources, names, verbs = (_words(cell) for cell in row[:6])
        assert row[1].strip() in {EVERYWHERE, ITS_NAMESPACE}, f"docs/security.md: unknown place in {place}"
        if accounts == [account] and row[1].strip() == where:
            found |= set(_all(groups or [""], resources, names, verbs))
    return found


def _rows(text: str) -> Iterator[list[str]]:
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(_TABLE_HEAD):
            next(lines)  # the separator below the header
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield line.strip("|").split("|")


def _words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _all(
    groups: Iterable[str], resources: Iterable[str], names: Iterable[str], verbs: Iterable[str]
) -> Iterator[Permission]:
    for group, resource, name, verb in product(groups, resources, list(names) or [""], verbs):
        yield Permission(group, resource, verb, name)


class Authority:
    """Permissions as the API server reports them to its administrator."""

    def __init__(self, kubeconfig: Path) -> None:
        self._configuration = client.Configuration()
        config.load_kube_config(str(kubeconfig), client_configuration=self._configuration)  # type: ignore[no-untyped-call]
        self._admin = client.ApiClient(self._configuration)

    def close(self) -> None:
        """Close its connections."""
        self._admin.close()  # type: ignore[no-untyped-call]

    def granted(self, account: str, namespace: str, *, within: str) -> set[Permission]:
        """Return the ServiceAccount's permissions in a namespace, beyond those of every ServiceAccount."""
        return self._rules(account, namespace, within) - self._rules("default", namespace, within)

    def allows(self, account: str, namespace: str, verb: str, resource: str, *, within: str | None) -> bool:
        """Return whether the ServiceAccount has the permission in a namespace, or in all of them (None)."""
        attributes = client.V1ResourceAttributes(verb=verb, resource=resource, namespace=within)
        review = client.V1SubjectAccessReview(
            spec=client.V1SubjectAccessReviewSpec(
                user=f"system:serviceaccount:{namespace}:{account}",
                groups=["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
                resource_attributes=attributes,
            )
        )
        answer = client.AuthorizationV1Api(self._admin).create_subject_access_review(review)
        assert answer.status is not None
        return bool(answer.status.allowed)

    def _rules(self, account: str, namespace: str, within: str) -> set[Permission]:
        """Return the rules that the ServiceAccount itself can list, with a token of its own."""
        review = client.V1SelfSubjectRulesReview(spec=client.V1SelfSubjectRulesReviewSpec(namespace=within))
        with self._as(account, namespace) as api:
            answer = client.AuthorizationV1Api(api).create_self_subject_rules_review(review)
        assert answer.status is not None
        found: set[Permission] = set()
        for rule in answer.status.resource_rules:
            found |= set(_all(rule.api_groups or [""], rule.resources or [], rule.resource_names or [], rule.verbs))
        return found

    def _as(self, account: str, namespace: str) -> client.ApiClient:
        request = client.AuthenticationV1TokenRequest(
            spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=_TOKEN_SECONDS)
        )
        core = client.CoreV1Api(self._admin)
        token = core.create_namespaced_service_account_token(account, namespace, request)
        assert token.status is not None
        configuration = client.Configuration(host=self._configuration.host)
        configuration.ssl_ca_cert = self._configuration.ssl_ca_cert
        configuration.api_key = {"authorization": f"Bearer {token.status.token}"}
        return client.ApiClient(configuration)
