"""The controller's settings as its environment gives them."""

import pytest
from pydantic import ValidationError

from provisioner_operator.controller.settings import Settings


@pytest.mark.parametrize(("given", "meant"), [("acme", ("acme",)), ("acme, globex", ("acme", "globex")), ("", ())])
def test_namespaces_of_the_environment_are_separated_by_commas(
    given: str, meant: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVISIONER_OPERATOR_NAMESPACES", given)
    assert Settings().namespaces == meant


def test_what_is_no_name_of_a_namespace_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISIONER_OPERATOR_NAMESPACES", "acme, Team A")
    with pytest.raises(ValidationError, match="'Team A' is not the name of a namespace"):
        Settings()
