"""Read the lock of a workspace's Terraform state from its Lease. Pure; used by the command line."""

import json
from collections.abc import Mapping
from typing import Any

from provisioner_operator.core.states.lock import LOCK_INFO_ANNOTATION, LockHolder, StateLock
from provisioner_operator.kube.object_states import meta_of


def parse_state_lock(body: Mapping[str, Any]) -> StateLock:
    """Return the lock as its Lease shows it, whoever has written that."""
    meta = meta_of(body)
    identity = (body.get("spec") or {}).get("holderIdentity")
    holder = None if identity is None else _holder(str(identity), meta.annotations.get(LOCK_INFO_ANNOTATION, ""))
    return StateLock(meta.uid, meta.resource_version, holder, meta.annotations)


def _holder(identity: str, text: str) -> LockHolder:
    try:
        info = json.loads(text)
    except ValueError:
        info = None
    info = info if isinstance(info, dict) else {}
    known = {
        name: str(info[key])
        for name, key in (("who", "Who"), ("created", "Created"), ("operation", "Operation"))
        if info.get(key)
    }
    return LockHolder(id=identity, **known)
