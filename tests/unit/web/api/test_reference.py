"""The page about the API, and the OpenAPI document that it is made from."""

import pytest

from provisioner_operator.web.api.document import api_document
from provisioner_operator.web.api.reference import api, api_page
from provisioner_operator.web.app import routes
from provisioner_operator.web.openapi import operations
from support.coder.api_world import ApiWorld
from support.manifests import REPOSITORY

DOCUMENT = "/api/provisioner/v1/openapi.json"


def test_the_page_is_that_of_the_routes() -> None:
    page = REPOSITORY / "docs" / "reference" / "api.md"
    assert page.read_text(encoding="utf-8") == api_page(), "run `make docs`"


def test_the_document_is_served_to_everybody_and_has_only_the_api() -> None:
    world = ApiWorld()
    answer = world.get(DOCUMENT, user=None)
    assert answer.status_code == 200
    served = answer.json()
    assert served == api_document(routes())
    assert served["paths"] == api_document(api())["paths"]
    assert all(path.startswith(("/api/v2/", "/api/provisioner/v1/")) for path in served["paths"])


def test_the_document_is_made_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ApiWorld()
    first = world.get(DOCUMENT, user=None)
    monkeypatch.setattr("provisioner_operator.web.api.routes.document.api_document", lambda _app: {})
    assert world.get(DOCUMENT, user=None).json() == first.json() != {}


def test_every_operation_has_its_own_id_and_says_what_it_does() -> None:
    found = [operation for _, operation in operations(api_document(api()))]
    assert len({each["operationId"] for each in found}) == len(found)
    assert all(each["description"] and len(each["tags"]) == 1 for each in found)


def test_every_reference_in_the_document_leads_somewhere() -> None:
    import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415 - see support.coder.openapi

    document = api_document(api())
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        for reference in _references(schema):
            assert reference.removeprefix("#/components/schemas/") in schemas, f"{name} refers to {reference}"


def test_no_version_of_coder_is_claimed() -> None:
    # With the header X-Coder-Build-Version its client would compare versions, and warn.
    assert "x-coder-build-version" not in ApiWorld().get("/api/v2/buildinfo", user=None).headers


def _references(schema: object) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"]] if isinstance(schema.get("$ref"), str) else []
        return own + [each for value in schema.values() for each in _references(value)]
    return [each for value in schema for each in _references(value)] if isinstance(schema, list) else []
