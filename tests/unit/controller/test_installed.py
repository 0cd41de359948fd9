"""The manifests and the controller agree about the controller."""

import yaml
from prometheus_client import CollectorRegistry

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.names import LEASE
from provisioner_operator.controller.operator import DRAIN_SECONDS
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.telemetry.endpoints import application
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from support.manifests import MANIFESTS, Manifest

OPERATOR = MANIFESTS / "operator"


def documents(*parts: str) -> list[Manifest]:
    return list(yaml.safe_load_all(MANIFESTS.joinpath(*parts).read_text(encoding="utf-8")))


def registry() -> CollectorRegistry:
    return Metrics(Reconcilers.create("image"), lambda: True, lambda: True).registry


def pod() -> Manifest:
    (deployment,) = documents("operator", "deployment.yaml")
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


def container() -> Manifest:
    (only,) = pod()["containers"]
    assert isinstance(only, dict)
    return only


def test_each_variable_of_the_deployment_is_a_setting() -> None:
    prefix = Settings.model_config["env_prefix"]
    names = {each["name"] for each in container()["env"]} - {"POD_NAME", "POD_NAMESPACE"}
    assert names == {f"{prefix}LEASE_NAMESPACE"}
    assert {name.removeprefix(prefix).lower() for name in names} <= Settings.model_fields.keys()


def test_the_probes_ask_what_is_served_where_it_is_served() -> None:
    app = application(registry(), started=lambda: None, alive=lambda: None, ready=lambda: None)
    served = {resource.canonical for resource in app.router.resources()}
    asked = {container()[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert asked | {"/metrics"} == served
    (port,) = container()["ports"]
    assert (port["name"], port["containerPort"]) == ("http", Settings.model_fields["http_port"].default)


def test_it_is_given_the_time_to_end_in_order() -> None:
    assert pod()["terminationGracePeriodSeconds"] > 2 * DRAIN_SECONDS


def test_the_image_is_of_this_version() -> None:
    assert container()["image"] == f"provisioner-operator:{__version__}"


def test_the_role_names_the_lease() -> None:
    role = next(each for each in documents("operator", "election.yaml") if each["kind"] == "Role")
    named = [rule["resourceNames"] for rule in role["rules"] if rule["verbs"] != ["create"]]
    assert named == [[LEASE]]
    assert "*" not in str(role["rules"])
