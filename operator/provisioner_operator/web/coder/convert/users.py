"""Users and organizations in Coder's shape. Pure."""

from collections.abc import Collection
from uuid import UUID

from provisioner_operator.web.access.caller import User as KubernetesUser
from provisioner_operator.web.access.caller import user_id
from provisioner_operator.web.coder.convert.ids import uuid_of
from provisioner_operator.web.coder.models.base import ZERO_TIME
from provisioner_operator.web.coder.models.users import MinimalUser, Organization, SlimRole, User
from provisioner_operator.web.index.cluster_index import ClusterIndex

DEFAULT = "default"
"""The namespace that Coder's clients take for the default organization."""


def user(person: KubernetesUser, organizations: Collection[UUID]) -> User:
    """Convert a user."""
    return User(
        id=person.id,
        username=person.name,
        email=person.name if "@" in person.name else "",
        created_at=ZERO_TIME,
        updated_at=ZERO_TIME,
        last_seen_at=ZERO_TIME,
        status="active",
        login_type="token",
        organization_ids=list(organizations),
        roles=[SlimRole(name=group, display_name=group) for group in person.groups],
        has_ai_seat=False,
    )


def minimal_user(name: str) -> MinimalUser:
    """Return a user of whom only the name is known."""
    return MinimalUser(id=user_id(name), username=name)


def organization(index: ClusterIndex, namespace: str) -> Organization:
    """Convert a namespace."""
    return Organization(
        id=uuid_of(index.namespace_uid(namespace)),
        name=namespace,
        display_name=namespace,
        icon="",
        description="",
        created_at=ZERO_TIME,
        updated_at=ZERO_TIME,
        is_default=namespace == DEFAULT,
        default_org_member_roles=[],
    )
