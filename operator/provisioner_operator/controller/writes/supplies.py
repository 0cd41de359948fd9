"""Carry out decisions about ProvisionerSupplies: one creation, or one conditional write."""

from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.answers import Result
from provisioner_operator.controller.writes.executor import has_moved_on, parse_taken, read_fresh, with_effect
from provisioner_operator.core.scheduling.supplies import WriteSupply
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import AlreadyExistsError
from provisioner_operator.kube.queueing.supply_parsing import parse_supply


class SupplyExecutor:
    """Executor of decisions about ProvisionerSupplies."""

    def __init__(self, client: KubeClient, observer: Observer) -> None:
        self._client = client
        self._observer = observer

    async def execute(self, decision: WriteSupply) -> Result:
        """Send the write and observe its response. Raises KubeError."""
        known = decision.known
        if known is None:
            return await self._create(decision)
        body = await self._client.json_patch(paths.supply(decision.namespace), decision.patch(known))
        self._observer.supply(with_effect(body, known.resource_version))
        return Result.OK

    async def is_news(self, decision: WriteSupply) -> bool:
        """Read the object; return whether the precondition no longer holds. Raises KubeError."""
        known = decision.known
        if known is None:
            return False  # the namespace is gone, or something else refuses the creation
        body = await read_fresh(
            self._client,
            paths.supply(decision.namespace),
            known.uid,
            observe=self._observer.supply,
            gone=self._observer.supply_deleted,
        )
        return has_moved_on(body, decision.patch(known), known.resource_version)

    async def _create(self, decision: WriteSupply) -> Result:
        try:
            body = await self._client.create(paths.supplies(decision.namespace), decision.body())
        except AlreadyExistsError:
            # Created by an earlier request whose answer was lost: the next decision compares with it.
            body = await self._client.get(paths.supply(decision.namespace))
            parse_taken(parse_supply, body)
            self._observer.supply(body)
            return Result.CONFLICT
        self._observer.supply(body)
        return Result.OK
