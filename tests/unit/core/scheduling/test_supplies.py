"""The content of a ProvisionerSupply: one entry of each supply, and nothing of what is too large."""

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.limits import MOST_SUPPLIES, MOST_SUPPLY_BYTES, MOST_SUPPLY_TEMPLATES
from provisioner_operator.core.model.matching import Supply, effective_tags
from provisioner_operator.core.scheduling.supplies import (
    OfferedSupply,
    SupplyContent,
    TemplateDemand,
    WriteSupply,
    daemon_offer,
    pool_offer,
    summarize,
)

VALUE = "v" * 253


def a_supply(**tags: str) -> Supply:
    return Supply("acme", frozenset({Provisioner.TERRAFORM}), effective_tags(tags))


def names(content: SupplyContent) -> list[str]:
    return [each.offered_by for each in content.supplies or ()]


def test_one_of_those_with_equal_supplies_is_named_a_pool_before_a_daemon() -> None:
    gpu, plain = a_supply(gpu="yes"), a_supply()
    offers = [daemon_offer("b", gpu), daemon_offer("a", plain), pool_offer("z", gpu), daemon_offer("c", plain)]
    assert names(summarize(offers, {}, None)) == ["daemon a", "pool z"]


def test_who_is_named_stays_as_long_as_it_offers_that() -> None:
    gpu, plain = a_supply(gpu="yes"), a_supply()
    known = SupplyContent((daemon_offer("b", gpu), daemon_offer("c", plain)))
    offers = [daemon_offer("a", gpu), daemon_offer("b", gpu), daemon_offer("c", gpu), pool_offer("z", plain)]
    assert names(summarize(offers, {}, known)) == ["daemon b", "pool z"]
    assert names(summarize(offers, {}, SupplyContent(None))) == ["daemon a", "pool z"]


def test_too_many_supplies_are_left_out_and_said_to_be() -> None:
    offers = [daemon_offer(f"d{n}", a_supply(number=str(n))) for n in range(MOST_SUPPLIES)]
    assert len(names(summarize(offers, {}, None))) == MOST_SUPPLIES

    content = summarize(
        [*offers, daemon_offer("one-more", a_supply())], {"t": TemplateDemand(Provisioner.ECHO, {})}, None
    )
    assert content.supplies is None
    assert not content.is_empty
    assert content.json() == {
        "supplies": [],
        "templates": {"t": {"provisioner": "echo", "tags": {}}},
        "omitted": ["Supplies"],
    }


def test_supplies_that_are_too_large_are_left_out() -> None:
    count = MOST_SUPPLY_BYTES // (8 * len(VALUE)) + 1
    large = [daemon_offer(f"d{n}", a_supply(n=str(n), **{f"k{m}": VALUE for m in range(8)})) for n in range(count)]
    assert summarize(large, {}, None).supplies is None
    assert summarize(large[: count // 2], {}, None).supplies is not None


def test_templates_that_are_too_many_or_too_large_are_left_out() -> None:
    small, large = TemplateDemand(Provisioner.ECHO, {}), TemplateDemand(Provisioner.ECHO, {"k": VALUE})
    assert summarize([], {f"t{n}": small for n in range(MOST_SUPPLY_TEMPLATES)}, None).templates is not None
    assert summarize([], {f"t{n}": small for n in range(MOST_SUPPLY_TEMPLATES + 1)}, None).templates is None
    content = summarize([], {f"t{n}": large for n in range(300)}, None)
    assert content.templates is None
    assert content.json() == {
        "supplies": [],
        "letters": "",
        "lacking": {},
        "templates": {},
        "omitted": ["Templates"],
    }


def test_the_object_says_what_is_offered() -> None:
    supply = Supply(
        "acme", frozenset(Provisioner), effective_tags({"scope": "user", "owner": "ann", "gpu": "yes", "zone": "a=b"})
    )
    write = WriteSupply("acme", None, SupplyContent((OfferedSupply("daemon a", supply),)))
    assert write.body() == {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerSupply",
        "metadata": {"name": "default", "namespace": "acme"},
        "spec": {
            "supplies": [
                {
                    "offeredBy": "daemon a",
                    "provisioners": ["echo", "terraform"],
                    "scope": "user",
                    "owner": "ann",
                    "tags": ["gpu=yes", "zone=a=b"],
                }
            ],
            "letters": "a",
            "lacking": {
                "echo": "",
                "gpu=yes": "",
                "scope=user and owner=ann": "",
                "terraform": "",
                "zone=a=b": "",
            },
            "templates": {},
        },
    }
    assert (write.subject, write.display_name, write.regarding.uid) == ("acme", "acme/default", "")
