"""Shell completion of names from the cluster and of fixed words. Errors are swallowed: a prompt is no place for them."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.cli.api.kubeconfig import Choice, files_to_read, find_access
from provisioner_operator.kube.logins.kubeconfig import merged, read
from provisioner_operator.kube.object_states import meta_of

if TYPE_CHECKING:
    from provisioner_operator.cli.api.client import Cluster

Completer = Callable[[click.Context, click.Parameter, str], list[str]]

PATIENCE_SECONDS = 3.0
"""Timeout of a request: somebody waits at the prompt."""
MOST = 500
"""Nobody chooses from a longer list of names."""


def names(plural: str) -> Completer:
    """Return a completer of the names of the product's objects of this kind in the chosen namespace."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        found: list[str] = []
        with suppress(Exception):
            cluster = _cluster(ctx)
            found = _names(cluster, f"/apis/{API_VERSION}/namespaces/{cluster.namespace}/{plural}")
        return _starting_with(incomplete, found)

    return complete


def namespaces(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a namespace."""
    found: list[str] = []
    with suppress(Exception):
        found = _names(_cluster(ctx), "/api/v1/namespaces")
    return _starting_with(incomplete, found)


def contexts(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a context of the kubeconfig."""
    found: list[str] = []
    with suppress(Exception):
        files = files_to_read(_choice(ctx), os.environ)
        documents = [(path, read(path)) for path in files if path.is_file()]
        found = [each["name"] for each in merged(documents)["contexts"]]
    return _starting_with(incomplete, found)


def words(*known: str) -> Completer:
    """Return a completer of fixed words, also of the last one in a comma-separated list."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{each}" for each in known if each.lower().startswith(last.lower())]

    return complete


def _names(cluster: "Cluster", path: str) -> list[str]:
    items, _version = next(cluster.pages(path, page=MOST))
    return [meta_of(each).name for each in items]


def _starting_with(incomplete: str, found: list[str]) -> list[str]:
    return [name for name in sorted(found) if name.startswith(incomplete)]


def _cluster(ctx: click.Context) -> "Cluster":
    from provisioner_operator.cli.api.client import Cluster  # noqa: PLC0415 - HTTP takes a tenth of a second to import

    return Cluster(find_access(_choice(ctx), os.environ), timeout=PATIENCE_SECONDS)


def _choice(ctx: click.Context) -> Choice:
    params = ctx.params
    return Choice(params.get("kubeconfig"), params.get("context_name"), params.get("namespace"))
