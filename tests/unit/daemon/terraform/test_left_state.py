"""States in Secrets that a job with another backend would forget."""

import asyncio

import pytest

from provisioner_operator.core.states.file import pack
from provisioner_operator.core.states.lock import state_secret
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.terraform.left_state import require_no_state_in_secrets
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError
from provisioner_operator.kube.state_histories import state_body
from support.builders.states import a_state
from unit.daemon.builders import Objects

STATE = paths.secret("acme", state_secret("dev"))


def require(objects: Objects) -> None:
    asyncio.run(require_no_state_in_secrets(objects, namespace="acme", workspace="dev"))


def test_a_workspace_without_resources_may_begin_in_another_place() -> None:
    require(Objects())
    require(Objects({STATE: dict(state_body("dev", pack(a_state())))}))


@pytest.mark.parametrize("packed", [pack(a_state(resources=1)), pack(a_state(resources=1))[:-9], b"unreadable"])
def test_a_state_that_may_have_resources_is_not_forgotten(packed: bytes) -> None:
    with pytest.raises(UnpreparedError, match="is still in Secret tfstate-default-dev-ws of namespace acme"):
        require(Objects({STATE: dict(state_body("dev", packed))}))


def test_a_state_that_cannot_be_looked_for_may_exist() -> None:
    objects = Objects()
    objects.failure = ForbiddenError(403, "no")
    with pytest.raises(UnpreparedError, match="It is unknown whether Secret tfstate-default-dev-ws"):
        require(objects)
