"""Times in a status: the schema admits none that the models cannot read."""

import re

import pytest

from provisioner_operator.api.crd.schema import structural_schema
from provisioner_operator.api.v1alpha1.daemon import DaemonStatus


@pytest.mark.parametrize("year", ["1000", "2999"])
@pytest.mark.parametrize("offset", ["Z", "-23:59", "+23:59"])
@pytest.mark.parametrize("time", ["00:00:00", "23:59:59.123456789123"])
def test_the_extremes_that_the_schema_admits_are_read(year: str, time: str, offset: str) -> None:
    field = structural_schema(DaemonStatus)["properties"]["lastHeartbeatTime"]
    moment = f"{year}-12-31T{time}{offset}"
    assert re.search(field["pattern"], moment)
    parsed = DaemonStatus.model_validate({"lastHeartbeatTime": moment}).last_heartbeat_time
    assert parsed is not None
    assert parsed.timestamp() != 0
