"""Parts of the API server's CPU, distinguished by the functions on a profile's stacks. Called by bench.writes.profiles.

Each sample counts for the first part of the table of which a function is on its stack, so that the parts add up. Code that serves
several parts, such as decoding, counts where it is called.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SAMPLE = re.compile(r"^\s*(\d+(?:\.\d+)?)us\s+(\S.*)$")
_SEPARATOR = "-----------+"
OTHER = "the rest: requests, metrics, scheduling"
PARTS = {
    "garbage collection": r"^runtime\.(gcBgMarkWorker|gcAssistAlloc|bgsweep|bgscavenge|deductSweepCredit)",
    "rules of the definition (CEL)": r"apiserver/schema/cel\.",
    "policies that stamp": r"admission/plugin/policy/mutating",
    "policies that refuse": r"admission/plugin/policy/(validating|generic)",
    "managed fields": r"managedfields|GetManagedFields|SetManagedFields|handlers/fieldmanager\.\(\*FieldManager\)",
    "other admission": r"apiserver/pkg/admission\.",
    "schema: validation, defaults, pruning": r"apiserver/validation\.|apiserver/schema/|openapi/pkg/validation|customresource\..*(Strategy|Validator)"
    r"|unstructuredSchemaCoercer|unstructuredDefaulter|AllowUnknownFields",
    "the patch": r"evanphx/json-patch|handlers\.\(\*(jsonPatcher|patcher)\)\.applyPatch",
    "watches, with their encoding": r"watchChan|watchEncoder|WatchServer|cacher\.\(\*(Cacher|cacheWatcher|watchCache|cachingObject)\)|cache\.\(\*Reflector\)",
    "etcd, with its encoding": r"storage/etcd3|go\.etcd\.io|google\.golang\.org/grpc|cacher\.\(\*CacheDelegator\)",
    "bodies of requests and answers": r"responsewriters|serializer/versioning|transformResponse",
    "identity of the client": r"authentication/request/x509\.",
    "permission of the client": r"filters\.withAuthorization\.func1$|authorizer/rbac|registry/rbac",
}
"""Parts, and the pattern of the functions of each."""


def stacks_of(traces: str) -> Iterator[tuple[float, list[str]]]:
    """Yield the microseconds and functions, innermost first, of each sample in the output of `go tool pprof -traces`."""
    for block in traces.split(_SEPARATOR)[1:]:
        _rest_of_separator, *lines = block.splitlines()
        stated = next(((number, found) for number, line in enumerate(lines) if (found := _SAMPLE.match(line))), None)
        if stated is not None:
            number, found = stated
            yield float(found[1]), [found[2], *(line.strip() for line in lines[number + 1 :] if line.strip())]


def parts_of(stacks: Iterable[tuple[float, Sequence[str]]]) -> Counter[str]:
    """Return the microseconds of each part."""
    patterns = {part: re.compile(pattern) for part, pattern in PARTS.items()}
    spent: Counter[str] = Counter()
    for microseconds, functions in stacks:
        named = (part for part, pattern in patterns.items() if any(map(pattern.search, functions)))
        spent[next(named, OTHER)] += round(microseconds)
    return spent
