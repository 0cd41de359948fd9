"""The module for plain Kopf registers handlers and the operator's life with Kopf's default registry."""

import importlib

import kopf
import pytest


def test_importing_it_registers_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = kopf.OperatorRegistry()
    monkeypatch.setattr(kopf, "get_default_registry", lambda: registry)
    importlib.import_module("provisioner_operator.controller.kopf_app")
    activities = registry._activities.get_all_handlers()  # noqa: SLF001 - Kopf shows them nowhere else
    assert sorted(str(handler.id).rpartition(".")[2] for handler in activities) == ["login", "start", "stop"]
    assert len(registry._watching.get_all_handlers()) == 2  # noqa: SLF001
