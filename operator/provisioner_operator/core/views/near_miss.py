"""Describe how the daemons that come nearest to a job differ from it, and the command that removes the difference. Pure.

For the command line and the web server: the explanation in a job's status names only the smallest change.
"""

from dataclasses import dataclass

from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.model.kubectl import merge_patch
from provisioner_operator.core.model.matching import OWNER, SCOPE, UNTAGGED, Demand, satisfies
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.views.queue_view import QueueView

MOST_DIFFERENCES = 2
"""A daemon that differs in more tags is not near."""
_SHOWN = 3
_IMPLIED = frozenset({SCOPE, OWNER})
"""Tags that a job has without being given them; nobody gives them to a daemon by a command."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A daemon that nearly matches a job: how it differs, and the change that removes the difference.

    Text and command are apart, since the text quotes tags, which might contain what looks like a command.
    """

    difference: str
    command: str = ""
    """Command that changes the daemon; empty for a daemon of a Pod, which has its tags from elsewhere."""

    @property
    def sentence(self) -> str:
        """Everything in a line."""
        return f"{self.difference} To change the daemon: {self.command or _IN_A_POD}"


_IN_A_POD = "set spec.tags of its pool, or annotate its Pod."


def near_misses(demand: Demand, queue: QueueView) -> list[NearMiss]:
    """Return the nearest daemons that differ from the demand only in a few tags."""
    daemons = [each.daemon for each in queue.candidates(demand.namespace)]
    if demand.tags == UNTAGGED or any(satisfies(daemon.supply, demand) for daemon in daemons):
        return []
    found = [
        (lacking, daemon)
        for daemon in daemons
        if demand.provisioner in daemon.supply.provisioners
        and 0 < len(lacking := _lacking(demand, daemon)) <= MOST_DIFFERENCES
        and not _IMPLIED & lacking.keys()
    ]
    found.sort(key=_distance)
    return [_near_miss(daemon, lacking) for lacking, daemon in found[:_SHOWN]]


def _lacking(demand: Demand, daemon: Daemon) -> dict[str, str]:
    return dict(sorted(demand.tags - daemon.supply.tags))


def _distance(found: tuple[dict[str, str], Daemon]) -> tuple[int, int, str]:
    """Order daemons: of those that differ in as many tags, another value is more often a mistake than a missing key."""
    lacking, daemon = found
    return len(lacking), len(lacking.keys() - dict(daemon.supply.tags).keys()), natural(daemon.name)


def _near_miss(daemon: Daemon, lacking: dict[str, str]) -> NearMiss:
    offered = dict(daemon.supply.tags)
    differences = " and ".join(_difference(key, value, offered) for key, value in lacking.items())
    changeable = daemon.pod_uid is None
    command = merge_patch(daemon.namespace, "pd", daemon.name, {"spec": {"tags": lacking}}) if changeable else ""
    return NearMiss(f"{daemon.name} has {differences}.", command)


def _difference(key: str, value: str, offered: dict[str, str]) -> str:
    """Return the tag that the daemon has instead of this one, in words."""
    if key in offered:
        return f"{key}={offered[key]}, not {value}{_case_hint(offered[key], value)}"
    similar = next((other for other in sorted(offered) if other.lower() == key.lower()), None)
    if similar is None:
        return f"no tag {key} (the job needs {key}={value})"
    return f"{similar}={offered[similar]}, not {key}={value}{_case_hint(similar, key)}"


def _case_hint(one: str, other: str) -> str:
    return " (keys and values are case-sensitive)" if one.lower() == other.lower() else ""
