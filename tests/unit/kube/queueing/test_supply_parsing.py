"""ProvisionerSupplies become records: what the core writes is what it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.core.model.matching import Supply, effective_tags
from provisioner_operator.core.scheduling.supplies import OfferedSupply, SupplyContent, TemplateDemand, WriteSupply
from provisioner_operator.kube.parsing import UnparseableObjectError
from provisioner_operator.kube.queueing.supply_parsing import parse_supply
from support.builders.controller import stored

tags = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "x=y"]), max_size=3)
scopes = st.sampled_from([{}, {"scope": "user", "owner": "ann"}])
supplies = st.builds(
    lambda name, programs, given, scope: OfferedSupply(
        name, Supply("acme", frozenset(programs), effective_tags(given | scope))
    ),
    st.sampled_from(["daemon a", "pool b"]),
    st.sets(st.sampled_from(list(Provisioner)), min_size=1),
    tags,
    scopes,
)
demands = st.builds(TemplateDemand, st.sampled_from(list(Provisioner)), tags)
contents = st.builds(
    SupplyContent,
    st.none() | st.lists(supplies, max_size=4).map(tuple),
    st.none() | st.dictionaries(st.sampled_from(["dev", "prod"]), demands),
)


@given(contents)
def test_what_is_written_is_read(content: SupplyContent) -> None:
    record = parse_supply(stored(dict(WriteSupply("acme", None, content).body()), version=7))
    assert record.content == content
    assert record.index == content.index
    assert record.says(content)
    assert (record.namespace, record.uid, record.resource_version) == ("acme", "uid-of-default", 7)


def test_an_object_that_does_not_fit_its_model_is_told_apart() -> None:
    body = stored(dict(WriteSupply("acme", None, SupplyContent()).body()))
    with pytest.raises(UnparseableObjectError):
        parse_supply({**body, "spec": {}})
