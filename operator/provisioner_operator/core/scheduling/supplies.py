"""Summarize what a namespace's daemons and pools offer and what its templates need: the content of its ProvisionerSupply. Pure.

An admission policy compares new jobs and workspaces with it, by the rule of `core.model.matching`. The content changes only if the
set of different supplies or the needs of a template do, so that daemons that come and go in equal numbers cost no write.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import Provisioner, SupplyPart
from provisioner_operator.api.v1alpha1.limits import MOST_SUPPLIES, MOST_SUPPLY_BYTES, MOST_SUPPLY_TEMPLATES
from provisioner_operator.api.v1alpha1.names import API_VERSION, SUPPLY_NAME
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.json_value import JsonObject, JsonValue
from provisioner_operator.core.model.matching import OWNER, SCOPE, Supply
from provisioner_operator.core.scheduling.supply_index import SupplyIndex, index_supplies


@dataclass(frozen=True, slots=True)
class OfferedSupply:
    """A supply, and a daemon or pool that offers it, in words."""

    offered_by: str
    supply: Supply


@dataclass(frozen=True, slots=True)
class TemplateDemand:
    """Needs of a workspace of a template, without the workspace's own tags."""

    provisioner: Provisioner
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SupplyContent:
    """Content of a ProvisionerSupply."""

    supplies: tuple[OfferedSupply, ...] | None = ()
    """The different supplies; None if there are too many."""
    templates: Mapping[str, TemplateDemand] | None = field(default_factory=dict)
    """Demands of templates by name; None if there are too many."""

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a supply nor a template."""
        return self == SupplyContent()

    @property
    def index(self) -> SupplyIndex | None:
        """The offers and needs that the admission policy compares with; None if there are too many supplies."""
        return None if self.supplies is None else index_supplies([each.supply for each in self.supplies])

    def json(self) -> JsonObject:
        """Render it as the object's spec."""
        parts = {SupplyPart.SUPPLIES: self.supplies, SupplyPart.TEMPLATES: self.templates}
        omitted: list[JsonValue] = [name for name, part in parts.items() if part is None]
        index = self.index
        return {
            "supplies": [_supply_json(each) for each in self.supplies or ()],
            **({} if index is None else index.json()),
            "templates": {name: _demand_json(each) for name, each in (self.templates or {}).items()},
            **({"omitted": omitted} if omitted else {}),
        }


@dataclass(frozen=True, slots=True)
class SupplyRecord:
    """A namespace's ProvisionerSupply, as last observed."""

    namespace: str
    uid: str
    resource_version: int
    content: SupplyContent
    index: SupplyIndex | None
    """That of the object, which others may have changed."""

    def says(self, content: SupplyContent) -> bool:
        """Whether the object has this content."""
        return self.content == content and self.index == content.index


@dataclass(frozen=True, slots=True)
class WriteSupply:
    """Create a namespace's ProvisionerSupply, or replace its content."""

    namespace: str
    known: SupplyRecord | None
    """The object as it is; None if there is none."""
    content: SupplyContent

    @property
    def subject(self) -> str:
        """The namespace, which has only one."""
        return self.namespace

    @property
    def display_name(self) -> str:
        """The object as people write it."""
        return f"{self.namespace}/{SUPPLY_NAME}"

    @property
    def regarding(self) -> ObjectReference:
        """The object, which may not exist yet."""
        uid = "" if self.known is None else self.known.uid
        return ObjectReference("ProvisionerSupply", self.namespace, SUPPLY_NAME, uid)

    def body(self) -> JsonObject:
        """Return the object to create."""
        metadata: JsonObject = {"name": SUPPLY_NAME, "namespace": self.namespace}
        return {
            "apiVersion": API_VERSION,
            "kind": "ProvisionerSupply",
            "metadata": metadata,
            "spec": self.content.json(),
        }

    def patch(self, known: SupplyRecord) -> JsonPatch:
        """Return the write of the whole content, which has no other author."""
        return JsonPatch(tests=(("/metadata/uid", known.uid),), sets=(("/spec", self.content.json()),))


def summarize(
    offers: Iterable[OfferedSupply], templates: Mapping[str, TemplateDemand], known: SupplyContent | None
) -> SupplyContent:
    """Return the content for these offers, of which many may have equal supplies, and these templates.

    A supply keeps the name that `known` gives it while a daemon or pool of that name offers it; of several others, pools come first.
    """
    supplies = _distinct(offers, known)
    few = len(templates) <= MOST_SUPPLY_TEMPLATES
    small = few and sum(len(name) + _demand_size(each) for name, each in templates.items()) <= MOST_SUPPLY_BYTES
    return SupplyContent(supplies if _fit(supplies) else None, dict(templates) if small else None)


def pool_offer(name: str, supply: Supply) -> OfferedSupply:
    """Return the offer of a pool."""
    return OfferedSupply(f"pool {name}", supply)


def daemon_offer(name: str, supply: Supply) -> OfferedSupply:
    """Return the offer of a daemon."""
    return OfferedSupply(f"daemon {name}", supply)


def _distinct(offers: Iterable[OfferedSupply], known: SupplyContent | None) -> tuple[OfferedSupply, ...]:
    former_offers = () if known is None else known.supplies or ()
    kept = {each.supply: each.offered_by for each in former_offers}
    chosen: dict[Supply, str] = {}
    for each in offers:
        former = chosen.get(each.supply)
        if former is None or _rank(each.offered_by, kept.get(each.supply)) < _rank(former, kept.get(each.supply)):
            chosen[each.supply] = each.offered_by
    return tuple(sorted((OfferedSupply(by, supply) for supply, by in chosen.items()), key=_order))


def _rank(offered_by: str, kept: str | None) -> tuple[bool, bool, str]:
    return offered_by != kept, not offered_by.startswith("pool "), offered_by


def _order(offer: OfferedSupply) -> tuple[str, list[tuple[str, str]], list[Provisioner]]:
    # One daemon has one supply; a pool may have daemons of a former one, which are named themselves.
    return offer.offered_by, sorted(offer.supply.tags), sorted(offer.supply.provisioners)


def _supply_json(offer: OfferedSupply) -> JsonObject:
    tags = dict(offer.supply.tags)
    return {
        "offeredBy": offer.offered_by,
        "provisioners": [*sorted(offer.supply.provisioners)],
        "scope": tags.pop(SCOPE),
        "owner": tags.pop(OWNER),
        "tags": [f"{key}={value}" for key, value in sorted(tags.items())],
    }


def _demand_json(demand: TemplateDemand) -> JsonObject:
    return {"provisioner": demand.provisioner, "tags": dict(demand.tags)}


def _fit(supplies: Sequence[OfferedSupply]) -> bool:
    if len(supplies) > MOST_SUPPLIES:
        return False
    index = index_supplies([each.supply for each in supplies])
    return sum(map(_size, supplies)) + index.size <= MOST_SUPPLY_BYTES


def _size(offer: OfferedSupply) -> int:
    return len(offer.offered_by) + sum(len(key) + len(value) for key, value in offer.supply.tags)


def _demand_size(demand: TemplateDemand) -> int:
    return sum(len(key) + len(value) for key, value in demand.tags.items())
