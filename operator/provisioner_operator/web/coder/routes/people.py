"""Find users: the one who asks, and those who are known as initiators of jobs or owners of workspaces. No routes."""

from collections.abc import Collection

from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.convert.ids import initiator_id
from provisioner_operator.web.coder.locate import as_uuid, not_found
from provisioner_operator.web.coder.workspace_search import owner_of
from provisioner_operator.web.index.cluster_index import ClusterIndex

ME = "me"


async def name_of(user: str, index: ClusterIndex, caller: Caller) -> str:
    """Return the name of the user that is given as `me`, by name or by id. Raises Problem for one who is not known."""
    uid = as_uuid(user)
    if user in (ME, caller.user.name) or uid == caller.user.id:
        return caller.user.name
    known = index.jobs.initiators(await caller.visible(JOBS)) | _owners(index, await caller.visible(WORKSPACES))
    found = user if uid is None else next((each for each in known if initiator_id(each) == uid), None)
    if found is None or found not in known:
        raise not_found()
    return found


def _owners(index: ClusterIndex, namespaces: Collection[str]) -> set[str]:
    rows = (row for row in index.workspaces if row.namespace in namespaces)
    return {owner for row in rows if (owner := owner_of(row.body))}
