"""The digest of a template's source, which names its versions: it has to be the same in every process and every release."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.core.workspaces.records import Parameter, SourceFiles, Template
from provisioner_operator.core.workspaces.template_source import digest_of
from support.builders.workspaces import a_template

FILES = SourceFiles({"main.tf": "# ä", "b.tf": ""}, {"logo.png": "iVBO"})
SIZE, ZONE = Parameter("size", ParameterType.NUMBER), Parameter("zone", ParameterType.STRING)
PLAIN = a_template()
FULL = a_template(
    parameters=(SIZE, ZONE),
    variables=({"name": "b", "value": "1"}, {"name": "a", "value": "2"}),
    module_credentials=({"host": "registry.example", "secretRef": {"name": "s"}},),
)


@pytest.mark.parametrize(
    ("template", "files", "digest"),
    [(PLAIN, None, "ea67d0097d"), (PLAIN, FILES, "eafc18a4d1"), (FULL, FILES, "657ecd61c6")],
    ids=["plain", "with files", "with everything"],
)
def test_versions_keep_their_names_from_release_to_release(
    template: Template, files: SourceFiles | None, digest: str
) -> None:
    assert digest_of(template, files) == digest


def test_the_order_in_which_a_source_is_written_does_not_matter() -> None:
    files = SourceFiles({"b.tf": "", "main.tf": "# ä"}, FILES.binary_data)
    reordered = replace(FULL, parameters=(ZONE, SIZE), variables=tuple(reversed(FULL.variables)))
    assert digest_of(reordered, files) == digest_of(FULL, FILES)
