"""The example of each kind in the reference is one that the API server accepts as it is written."""

import pytest
import yaml

from provisioner_operator.api.crd.definitions import KINDS, Kind
from provisioner_operator.api.crd.examples import EXAMPLES
from support.cluster.kubectl import Kubectl


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_the_api_server_accepts_the_example(kind: Kind, kubectl: Kubectl) -> None:
    text = EXAMPLES[kind.model]
    answer = kubectl.apply(text, "--dry-run=server", "--validate=strict", "--output=yaml")

    assert answer.stderr == ""
    stored, written = yaml.safe_load(answer.stdout), yaml.safe_load(text)
    assert stored["kind"] == written["kind"] == kind.model.__name__
    assert keeps(stored["spec"], written["spec"])


def keeps(stored: object, written: object) -> bool:
    """Whether everything that was written was stored; the API server adds defaults."""
    if isinstance(stored, dict) and isinstance(written, dict):
        return all(name in stored and keeps(stored[name], value) for name, value in written.items())
    if isinstance(stored, list) and isinstance(written, list):
        return len(stored) == len(written) and all(map(keeps, stored, written))
    return stored == written
