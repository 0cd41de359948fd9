"""Request counts of the API server by verb and resource, from its metrics."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from support.cluster.kubectl import Kubectl

WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"})

_LINE = re.compile(r"^apiserver_request_total\{(?P<labels>.*)\} (?P<count>[0-9.e+]+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True, order=True)
class Request:
    """One kind of request."""

    verb: str
    resource: str
    """With its subresource: `provisionerjobs/status`."""


def requests(kubectl: Kubectl) -> Counter[Request]:
    """Return the number of requests of each kind so far, including rejected ones."""
    found: Counter[Request] = Counter()
    for match in _LINE.finditer(kubectl.run("get", "--raw", "/metrics").stdout):
        labels = dict(_LABEL.findall(match["labels"]))
        resource = "/".join(part for part in (labels["resource"], labels["subresource"]) if part)
        found[Request(labels["verb"], resource)] += int(float(match["count"]))
    return found


def between(before: Mapping[Request, int], after: Mapping[Request, int], *resources: str) -> dict[Request, int]:
    """Return the difference of two counts, for these resources and their subresources."""
    return {
        request: count - before.get(request, 0)
        for request, count in sorted(after.items())
        if count > before.get(request, 0) and request.resource.partition("/")[0] in resources
    }


def writes(counted: Mapping[Request, int]) -> dict[Request, int]:
    """Return only the requests that change objects."""
    return {request: count for request, count in counted.items() if request.verb in WRITES}
