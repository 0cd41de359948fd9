"""The resources that an API server has, by every name that kubectl knows for them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from support.manifests import Manifest


class Resource(NamedTuple):
    """A kind of objects in its preferred version."""

    api_version: str
    plural: str
    names: frozenset[str]
    """Plural, singular, kind and short names in lower case."""
    namespaced: bool


def parse_groups(document: Manifest) -> Iterator[Resource]:
    """Yield the resources of an aggregated discovery document, each group's preferred version first."""
    for group in document.get("items", ()):
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            api_version = f"{name}/{version['version']}" if name else version["version"]
            for each in version.get("resources", ()):
                names = {each["resource"], each["singularResource"], each["responseKind"]["kind"].lower()}
                yield Resource(
                    api_version,
                    each["resource"],
                    frozenset(names.union(each.get("shortNames", ()))),
                    namespaced=each["scope"] == "Namespaced",
                )


def find(resources: Sequence[Resource], kind: str, api_version: str | None) -> Resource | None:
    """Return the first resource of this name, which may end with its group, as `events.events.k8s.io`."""
    name, _, group = kind.lower().partition(".")
    for each in resources:
        own_group = each.api_version.rpartition("/")[0]
        if name in each.names and api_version in {None, each.api_version} and (not group or group == own_group):
            return each
    return None
