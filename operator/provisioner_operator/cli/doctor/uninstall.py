"""`doctor --before-uninstall`: find the objects whose finalizers nothing would remove any more. The chart's hook runs it."""

from collections.abc import Callable, Iterator

from provisioner_operator.cli.doctor import checks
from provisioner_operator.cli.doctor.checks import Finding, Level
from provisioner_operator.cli.doctor.report import report
from provisioner_operator.cli.errors import Exit, ForbiddenError, NotFoundError
from provisioner_operator.cli.session import Session
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body, meta_of

_FINALIZED = {
    "workspaces": ("ws", paths.workspaces(None)),
    "templates": ("wst", paths.templates(None)),
    "pools": ("pp", paths.pools(None)),
    "daemons": ("pd", paths.daemons(None)),
}
"""Kinds with finalizers, in the order of their deletion: the short name, and the collection of all namespaces."""


def examine_leftovers(session: Session, *, as_json: bool) -> Exit:
    """Look for such objects in all namespaces and print the findings; exit code 1 if there are any, or may be."""
    return report(session, leftovers(session.cluster.list), as_json=as_json)


def leftovers(read: Callable[[str], list[Body]]) -> Iterator[Finding]:
    """Yield a finding for each kind, from a function that reads a collection."""
    for things, (short, path) in _FINALIZED.items():
        try:
            names = ["{0.namespace}/{0.name}".format(meta_of(body)) for body in read(path)]
        except NotFoundError:
            names = []  # the kind is not installed
        except ForbiddenError as error:
            # Elsewhere an unknown is no error; here it could leave objects that nobody can delete.
            yield Finding(things, Level.ERROR, f"Not checked: {error}")
            continue
        yield checks.leftovers(things, short, names)
