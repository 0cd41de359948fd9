"""Decide which variables of a daemon's environment reach the commands of its runs, and which of their values are masked.

A pool names the variables of `env` and `passEnv` for its daemons, and gives the keys of each `envFrom` a prefix of ours, which
is removed again for runs: nobody knows these keys beforehand, and none of them may change the daemon itself. A daemon outside
a pool names its variables by `--pass-env`. Called by `pools.pod_builder` and the daemon.

A daemon's own variables are never passed on, nor are those by which a run describes its job or which would move its state.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.pod_environment import (
    BACKEND_PREFIX,
    HARMLESS_BACKEND_VARIABLES,
    IDENTITY_VARIABLES,
    RESERVED_PREFIXES,
    RUN_VARIABLES,
)

NAMED_ENV = "PROVISIONER_NAMED_ENV"
"""Variable of a pool's daemons: the names in the pool's `env`, separated by spaces."""
SECRET_ENV = "PROVISIONER_SECRET_ENV"  # noqa: S105 - a variable's name
"""Variable of a pool's daemons: those of these names whose values come from Secrets."""
PASS_ENV = "PROVISIONER_PASS_ENV"  # noqa: S105 - a variable's name
"""Variable with the patterns of `--pass-env`, separated by spaces: the pool's `passEnv`."""
TELEMETRY_PREFIX = "OTEL_"
"""Prefix of OpenTelemetry's settings: a collector's credentials are no run's business, and its programs would send traces too."""
SHORTEST_MASKED = 6
"""Characters from which a value of unknown origin is masked. Shorter ones are settings: `true`, `debug`, `5432`."""

_IDENTITY_PREFIXES = ("PROVISIONER_", "KUBERNETES_")
_ENV_FROM = re.compile(r"PROVISIONER_ENV_FROM_(\d+)_(SECRET|CONFIG)_(.+)", re.DOTALL)
_PLACE = re.compile(r".*(?:^|_)(?:REGION|ZONE|LOCATION|PROJECT|PROFILE|FILE|PATH|DIR|ARN)", re.IGNORECASE)
_SWITCHES = frozenset({"true", "false"})


class ReservedVariableError(ValueError):
    """Raised for a name that runs may not get; the message says why."""


@dataclass(frozen=True, slots=True)
class RunEnvironment:
    """Variables that reach the commands of every run, and those values that no log may show."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)


def is_passable(name: str) -> bool:
    """Return whether runs may get a variable of this name from their daemon."""
    return not (_is_identity(name) or _is_of_runs(name))


def check_pattern(pattern: str) -> None:
    """Raise ReservedVariableError for a name, or a prefix with an asterisk, of which nothing can be passed on.

    A wider prefix, such as `KUBE*`, is valid: reserved names that it covers are left out.
    """
    prefix = pattern.removesuffix("*")
    if not prefix or "*" in prefix or "=" in prefix:
        raise ReservedVariableError(f"{pattern!r} is neither the NAME of a variable nor a PREFIX*")
    is_reserved = prefix.startswith(RESERVED_PREFIXES) if pattern.endswith("*") else not is_passable(prefix)
    if is_reserved:
        reason = (
            "it belongs to the daemon's own identity, which runs do not get"
            if _is_identity(prefix)
            else "a run sets it itself, or would keep its state elsewhere"
        )
        raise ReservedVariableError(f"{pattern} is reserved: {reason}")


def _is_identity(name: str) -> bool:
    return name in IDENTITY_VARIABLES or name.startswith(_IDENTITY_PREFIXES)


def _is_of_runs(name: str) -> bool:
    if name.startswith(BACKEND_PREFIX):
        return name not in HARMLESS_BACKEND_VARIABLES
    return name in RUN_VARIABLES or name.startswith(RESERVED_PREFIXES)


def env_from_prefix(number: int, *, secret: bool) -> str:
    """Return the prefix that the keys of a pool's `envFrom` with this index get in the environment of its daemons."""
    return f"PROVISIONER_ENV_FROM_{number}_{'SECRET' if secret else 'CONFIG'}_"


def run_environment(environment: Mapping[str, str], patterns: Sequence[str] = ()) -> RunEnvironment:
    """Select what runs get of a daemon's environment: what its pool names, and what the patterns match.

    Settings of OpenTelemetry that a pool names are the daemon's: runs get those that a pattern matches, or of a source.
    As in a Pod, a variable of `env` replaces one of `envFrom`, and a later source of `envFrom` an earlier one.
    """
    chosen: dict[str, str] = {}
    masked: dict[str, bool] = {}
    for name, value, is_secret in _of_sources(environment):
        chosen[name], masked[name] = value, _is_masked(name, value, is_secret=is_secret)
    from_secrets = environment.get(SECRET_ENV, "").split()
    withheld: list[str] = []
    for name in [each for each in environment.get(NAMED_ENV, "").split() if each in environment]:
        is_secret = name in from_secrets and _is_masked(name, environment[name], is_secret=True)
        if name.startswith(TELEMETRY_PREFIX) and not _is_asked_for(name, patterns):
            withheld += [environment[name]] if is_secret else []
        else:
            chosen[name], masked[name] = environment[name], is_secret
    for name, value in environment.items():
        if name not in chosen and is_passable(name) and _is_asked_for(name, patterns):
            # Nobody says where it comes from.
            chosen[name], masked[name] = value, _is_masked(name, value, is_secret=len(value) >= SHORTEST_MASKED)
    # Also of those that are not passed on: a value of the pool may refer to one by $(NAME).
    secrets = (*withheld, *(chosen[name] for name in chosen if masked[name]))
    return RunEnvironment({name: value for name, value in chosen.items() if is_passable(name)}, secrets)


def _of_sources(environment: Mapping[str, str]) -> Iterable[tuple[str, str, bool]]:
    """Return the keys of all sources of `envFrom` in their order, their values, and whether these come from Secrets."""
    found = [(match, value) for name, value in environment.items() if (match := _ENV_FROM.fullmatch(name))]
    found.sort(key=lambda each: int(each[0][1]))
    return [(match[3], value, match[2] == "SECRET") for match, value in found]


def _is_asked_for(name: str, patterns: Sequence[str]) -> bool:
    return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in patterns)


def _is_masked(name: str, value: str, *, is_secret: bool) -> bool:
    """Leave a Secret's settings readable: a region or a path occurs throughout a log and in outputs, and reveals nothing."""
    return is_secret and not _PLACE.fullmatch(name) and value.lower() not in _SWITCHES
