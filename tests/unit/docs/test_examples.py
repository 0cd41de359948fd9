"""Every YAML example of our kinds is one that the API would take."""

from pathlib import Path

import pytest
import yaml

from support.manifests import REPOSITORY
from unit.docs.examples import YAML, is_ours, wrong_examples
from unit.docs.pages import Page, name_of, page_paths, read

JOB = """\
apiVersion: provisioner.dev/v1alpha1
kind: ProvisionerJob
metadata: {name: dev-7}
spec:
  transition: Start
  workspaceRef: {name: dev}
  variables: [{name: region, value: us}]
"""


@pytest.mark.parametrize("path", page_paths(), ids=name_of)
def test_every_example_of_a_page_fits_its_kind(path: Path) -> None:
    assert list(wrong_examples(read(path))) == []


def complaints(text: str) -> list[str]:
    return list(wrong_examples(Page.parse(f"```yaml\n{text}```\n", REPOSITORY / "README.md")))


def test_a_good_example_is_not_complained_about() -> None:
    assert complaints(JOB) == []
    assert complaints("apiVersion: v1\nkind: Anything\nspec: {goes: here}\n") == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("transition: Start", "transition: Begin"),
        ("transition: Start", "transition: Start\n  color: blue"),
        ("workspaceRef: {name: dev}", "workspaceRef: {name: dev, nick: devvy}"),
        ("value: us", "text: us"),
        ("name: region", "name: 'not a name'"),
        ("kind: ProvisionerJob", "kind: ProvisionerTask"),
        ("v1alpha1", "v1beta1"),
        ("spec:", "spec: {"),
    ],
)
def test_a_wrong_example_is_found(right: str, wrong: str) -> None:
    assert right in JOB
    assert complaints(JOB.replace(right, wrong))


def test_the_pages_hold_examples_of_most_kinds() -> None:
    """Or else the check above looks at nothing."""
    blocks = [block.text for path in page_paths() for block in read(path).blocks if block.language in YAML]
    kinds = {document["kind"] for text in blocks for document in yaml.safe_load_all(text) if is_ours(document)}
    assert kinds >= {"ProvisionerJob", "ProvisionerDaemon", "ProvisionerPool"}
