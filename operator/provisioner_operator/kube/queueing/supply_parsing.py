"""Parsing of ProvisionerSupplies into the records that the core compares with what they should say."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from provisioner_operator.api.v1alpha1.enums import SupplyPart
from provisioner_operator.api.v1alpha1.queueing.supply import ProvisionerSupply
from provisioner_operator.api.v1alpha1.queueing.supply import Supply as SupplyModel
from provisioner_operator.core.model.matching import OWNER, SCOPE, Supply
from provisioner_operator.core.scheduling.supplies import OfferedSupply, SupplyContent, SupplyRecord, TemplateDemand
from provisioner_operator.core.scheduling.supply_index import SupplyIndex
from provisioner_operator.kube.parsing import UnparseableObjectError, explain


def parse_supply(body: Mapping[str, Any]) -> SupplyRecord:
    """Parse a ProvisionerSupply into its record. Raises UnparseableObjectError."""
    try:
        model = ProvisionerSupply.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None
    meta, spec = model.metadata, model.spec
    supplies = tuple(_offer(meta.namespace, each) for each in spec.supplies)
    templates = {name: TemplateDemand(each.provisioner, each.tags) for name, each in spec.templates.items()}
    content = SupplyContent(
        supplies=None if SupplyPart.SUPPLIES in spec.omitted else supplies,
        templates=None if SupplyPart.TEMPLATES in spec.omitted else templates,
    )
    index = None if spec.lacking is None else SupplyIndex(spec.letters, spec.lacking)
    return SupplyRecord(meta.namespace, meta.uid, int(meta.resource_version), content, index)


def _offer(namespace: str, model: SupplyModel) -> OfferedSupply:
    pairs = (each.partition("=") for each in model.tags)
    tags = {(SCOPE, model.scope), (OWNER, model.owner), *((key, value) for key, _, value in pairs)}
    return OfferedSupply(model.offered_by, Supply(namespace, frozenset(model.provisioners), frozenset(tags)))
