"""Builders of the core's pools and their members with defaults, so that a test names only relevant fields."""

from typing import Any

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.names import DRAIN_FINALIZER
from provisioner_operator.core.model.matching import Supply, effective_tags
from provisioner_operator.core.pools.members import Member, PodEnd, PoolDaemon, PoolPod, Trouble
from provisioner_operator.core.pools.records import Autoscaling, Pool
from support.builders.core import NAMESPACE, NOON

OLD, NEW = "old", "new"
"""Two revisions of a pool's Pods."""


def a_pool(name: str = "pool", *, tags: dict[str, str] | None = None, **fields: Any) -> Pool:
    """A pool of one daemon that already has its finalizer."""
    provisioners = fields.pop("provisioners", (Provisioner.TERRAFORM,))
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": name,
        "uid": f"uid-of-{name}",
        "resource_version": 1,
        "generation": 1,
        "supply": Supply(NAMESPACE, frozenset(provisioners), effective_tags(tags or {})),
        "tags": tuple(sorted((tags or {}).items())),
        "lost_after": 300,
        "cancel_grace": 180,
        "finalizers": (DRAIN_FINALIZER,),
    }
    return Pool(**(defaults | fields))


def scaling(most: int = 10, **fields: Any) -> Autoscaling:
    """Autoscaling between zero and this many daemons."""
    return Autoscaling(most, **({"target_wait": 60, "scale_down_delay": 300} | fields))


def a_pod(name: str = "pod", *, created: float = 0, **fields: Any) -> PoolPod:
    """A Pod of the new revision that is starting; `created` and `ready_since` are in seconds after noon."""
    ready = fields.pop("ready_since", None)
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": name,
        "uid": f"uid-of-{name}",
        "pool_uid": "uid-of-pool",
        "revision": NEW,
        "created": NOON + created,
        "ready_since": None if ready is None else NOON + ready,
    }
    return PoolPod(**(defaults | fields))


def starting(name: str = "pod", **fields: Any) -> Member:
    """A Pod that has not become a daemon yet."""
    return Member(a_pod(name, **fields))


def working(
    name: str = "pod",
    *,
    held: int = 0,
    cordoned_by: str | None = None,
    online: bool = True,
    lost: bool = False,
    has_unsaved_state: bool = False,
    **fields: Any,
) -> Member:
    """A ready daemon with this many jobs, optionally cordoned by the `pool` or an `admin`."""
    daemon = PoolDaemon(
        f"daemon-of-{name}",
        online=online and not lost,
        reported=True,
        lost=lost,
        cordoned=cordoned_by is not None,
        cordoned_by_pool=cordoned_by == "pool",
        held=held,
        has_unsaved_state=has_unsaved_state,
    )
    return Member(a_pod(name, **({"ready_since": 1} | fields)), daemon)


def over(
    name: str = "pod", *, failed: bool = True, finished: float = 5, ran: float = 1, held: int = 0, **fields: Any
) -> Member:
    """A Pod that ended this many seconds after noon."""
    end = PodEnd(failed=failed, finished=NOON + finished, ran=ran, trouble=Trouble("Error", "Error: exit code 1"))
    return Member(a_pod(name, end=end, **fields), PoolDaemon(f"daemon-of-{name}", held=held) if held else None)
