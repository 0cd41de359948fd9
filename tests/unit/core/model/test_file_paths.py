import json

import pytest

from provisioner_operator.api.v1alpha1.names import PATHS_ANNOTATION
from provisioner_operator.core.model.file_paths import NamedFiles, from_config_map, to_config_map
from provisioner_operator.core.model.json_value import JsonObject


def a_config_map(annotation: str, *keys: str) -> JsonObject:
    return {"metadata": {"annotations": {PATHS_ANNOTATION: annotation}}, "data": dict.fromkeys(keys, "")}


def test_a_config_map_without_the_annotation_has_the_files_of_its_keys() -> None:
    assert from_config_map({"data": {"main.tf": "x"}, "binaryData": None}) == NamedFiles({"main.tf": "x"}, {})
    assert to_config_map({"main.tf": "x"}, {}) == {"data": {"main.tf": "x"}}


def test_the_annotation_gives_keys_their_paths() -> None:
    body = a_config_map(json.dumps({"a": "modules/a/main.tf"}), "a", "main.tf")
    assert from_config_map(body) == NamedFiles({"modules/a/main.tf": "", "main.tf": ""}, {})


@pytest.mark.parametrize(
    ("annotation", "problem"),
    [
        ("{", "is no JSON object"),
        ("[]", "is no JSON object"),
        ('{"a": 1}', "is no JSON object"),
        ('{"b": "c/d"}', "names 'b', which is no key of it"),
        ('{"a": "main.tf"}', "gives two files one path"),
    ],
)
def test_an_annotation_that_cannot_be_followed_is_explained(annotation: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        from_config_map(a_config_map(annotation, "a", "main.tf"))
