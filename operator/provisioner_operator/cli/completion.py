"""What a shell completes: names and words, from the cluster where they stand there. Never says why it has nothing."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.cli.api import kubeconfig
from provisioner_operator.cli.api.kubeconfig import Choice, find_access

if TYPE_CHECKING:
    from provisioner_operator.cli.api.client import Cluster

Completer = Callable[[click.Context, click.Parameter, str], list[str]]

PATIENCE_SECONDS = 3.0
"""Somebody waits at the prompt."""
MOST = 500
"""Names beyond these help nobody to choose."""


def names(plural: str) -> Completer:
    """Completes names of objects of this kind of the product in the chosen namespace."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        found: list[str] = []
        with suppress(Exception):
            cluster = _cluster(ctx)
            path = f"/apis/{API_VERSION}/namespaces/{cluster.namespace}/{plural}"
            items, _version = next(cluster.pages(path, page=MOST))
            found = [each["metadata"]["name"] for each in items]
        return _beginning(found, incomplete)

    return complete


def namespaces(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Completes namespaces."""
    found: list[str] = []
    with suppress(Exception):
        items, _version = next(_cluster(ctx).pages("/api/v1/namespaces", page=MOST))
        found = [each["metadata"]["name"] for each in items]
    return _beginning(found, incomplete)


def contexts(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Completes the kubeconfig's contexts."""
    found: list[str] = []
    with suppress(Exception):
        files = kubeconfig.files_to_read(_choice(ctx), os.environ)
        documents = [(path, kubeconfig.read(path)) for path in files if path.is_file()]
        found = [each["name"] for each in kubeconfig.merged(documents)["contexts"]]
    return _beginning(found, incomplete)


def words(*known: str) -> Completer:
    """Completes fixed words, also the last of several with commas between them."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{each}" for each in known if each.lower().startswith(last.lower())]

    return complete


def _beginning(found: list[str], incomplete: str) -> list[str]:
    return [name for name in sorted(found) if name.startswith(incomplete)]


def _cluster(ctx: click.Context) -> "Cluster":
    from provisioner_operator.cli.api.client import Cluster  # noqa: PLC0415 - only who completes needs it

    return Cluster(find_access(_choice(ctx), os.environ), timeout=PATIENCE_SECONDS)


def _choice(ctx: click.Context) -> Choice:
    params = ctx.params
    return Choice(params.get("kubeconfig"), params.get("context_name"), params.get("namespace"))
