"""The image of an installation is split as kustomize wants it."""

import pytest

from release.installation import image_fields


@pytest.mark.parametrize(
    ("image", "fields"),
    [
        ("operator", {"newName": "operator"}),
        ("operator:1.2.3", {"newName": "operator", "newTag": "1.2.3"}),
        ("registry.example.com:5000/a/operator", {"newName": "registry.example.com:5000/a/operator"}),
        ("registry.example.com:5000/a/operator:1", {"newName": "registry.example.com:5000/a/operator", "newTag": "1"}),
        ("a/operator@sha256:12", {"newName": "a/operator", "digest": "sha256:12"}),
        ("a/operator:1@sha256:12", {"newName": "a/operator", "digest": "sha256:12"}),
    ],
)
def test_a_name_has_a_tag_a_digest_or_neither(image: str, fields: dict[str, str]) -> None:
    assert image_fields(image) == fields
