"""The Pod that a pool makes, and what makes another one of it."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.pools.pod_builder import pod, revision, selector
from provisioner_operator.core.pools.records import PodTemplate, Pool
from support.builders.core import tags
from support.builders.pools import a_pool, scaling
from support.manifests import Manifest

IMAGE = "provisioner-operator:0.1.0"
CLOUD: JsonObject = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token"}}}


def rendered(pool: Pool) -> Manifest:
    made: Any = pod(pool, "pool-x7k2p", IMAGE)
    return dict(made)


def container(pool: Pool) -> Manifest:
    (only,) = rendered(pool)["spec"]["containers"]
    return dict(only)


def test_a_pod_is_a_daemon_of_its_pool() -> None:
    metadata = rendered(a_pool(tags=tags(environment="on-prem", datacenter="chicago"), capacity=3))["metadata"]

    assert (metadata["name"], metadata["namespace"]) == ("pool-x7k2p", "acme")
    assert metadata["labels"].items() >= {"provisioner.dev/daemon": "true", "provisioner.dev/pool": "pool"}.items()
    assert metadata["annotations"] == {
        "tags.provisioner.dev/environment": "on-prem",
        "tags.provisioner.dev/datacenter": "chicago",
        "provisioner.dev/provisioners": "terraform",
        "provisioner.dev/capacity": "3",
        "provisioner.dev/lost-after-seconds": "300",
        "provisioner.dev/cancel-grace-seconds": "180",
    }
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("ProvisionerPool", "uid-of-pool", True)


def test_the_selector_of_a_pool_selects_its_pods() -> None:
    key, value = selector(a_pool()).split("=")

    assert rendered(a_pool())["metadata"]["labels"][key] == value


def test_a_pod_bears_its_revision() -> None:
    assert rendered(a_pool())["metadata"]["labels"]["provisioner.dev/pool-revision"] == revision(a_pool(), IMAGE)


def test_the_daemon_knows_who_it_is_and_dies_for_good() -> None:
    assert rendered(a_pool())["spec"]["restartPolicy"] == "Never"
    assert container(a_pool())["args"] == ["provisioner-daemon", "run"]
    named = {each["name"]: each for each in container(a_pool())["env"]}
    assert named.pop("PROVISIONER_DRAIN_SECONDS")["value"] == "3790", (
        "4000 s without a cancel and the report of its end"
    )
    assert named.pop("TF_PLUGIN_CACHE_DIR")["value"] == "/tmp/providers", "on the volume of the runs' directories"
    assert {name: each["valueFrom"]["fieldRef"]["fieldPath"] for name, each in named.items()} == {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "POD_UID": "metadata.uid",
    }


@pytest.mark.parametrize("directory", ["", "/cache"])
def test_a_pool_may_keep_providers_elsewhere_or_not_at_all(directory: str) -> None:
    own = {"name": "TF_PLUGIN_CACHE_DIR", "value": directory}
    pool = a_pool(template=PodTemplate(env=(own,)))
    assert [each for each in container(pool)["env"] if each["name"] == own["name"]] == [own]


def test_what_the_template_says_is_passed_on() -> None:
    template = PodTemplate(
        image="mirror.example.com/daemon:1",
        service_account="cloudy",
        termination_grace=60,
        resources={"limits": {"memory": "8Gi"}},
        env=(CLOUD,),
        node_selector={"disk": "fast"},
        tolerations=({"key": "gpu", "operator": "Exists"},),
        labels={"team": "a"},
        annotations={"note": "b"},
    )
    pool = a_pool(template=template)
    spec, metadata = rendered(pool)["spec"], rendered(pool)["metadata"]

    assert (spec["serviceAccountName"], spec["terminationGracePeriodSeconds"]) == ("cloudy", 60)
    assert (spec["nodeSelector"], list(spec["tolerations"])) == (
        {"disk": "fast"},
        [{"key": "gpu", "operator": "Exists"}],
    )
    assert (metadata["labels"]["team"], metadata["annotations"]["note"]) == ("a", "b")
    assert container(pool)["image"] == "mirror.example.com/daemon:1"
    assert container(pool)["resources"] == {"limits": {"memory": "8Gi"}}
    assert CLOUD in container(pool)["env"]


def test_the_daemon_learns_which_variables_are_for_runs_and_which_of_them_are_secret() -> None:
    env: tuple[JsonObject, ...] = (
        CLOUD,
        {"name": "REGION", "value": "eu"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    )
    told = container(a_pool(template=PodTemplate(env=env)))["env"][-2:]
    plain = container(a_pool(template=PodTemplate(env=env[1:])))["env"]

    assert told == [
        {"name": "PROVISIONER_NAMED_ENV", "value": "TOKEN REGION NODE"},
        {"name": "PROVISIONER_SECRET_ENV", "value": "TOKEN"},
    ]
    assert [each["name"] for each in plain][-2:] == ["NODE", "PROVISIONER_NAMED_ENV"]


def test_keys_of_a_source_can_change_nothing_of_the_daemon_itself() -> None:
    sources: tuple[JsonObject, ...] = (
        {"secretRef": {"name": "cloud", "optional": False}},
        {"prefix": "TF_VAR_", "configMapRef": {"name": "settings", "optional": True}},
    )
    given = container(a_pool(template=PodTemplate(env_from=sources)))["envFrom"]

    assert given == [
        {"prefix": "PROVISIONER_ENV_FROM_0_SECRET_", "secretRef": {"name": "cloud", "optional": False}},
        {
            "prefix": "PROVISIONER_ENV_FROM_1_CONFIG_TF_VAR_",
            "configMapRef": {"name": "settings", "optional": True},
        },
    ]


def test_volumes_and_placement_are_passed_on() -> None:
    template = PodTemplate(
        volumes=({"name": "aws", "secret": {"secretName": "aws"}},),
        volume_mounts=({"name": "aws", "mountPath": "/etc/aws", "readOnly": True},),
        image_pull_secrets=({"name": "registry"},),
        affinity={"nodeAffinity": {}},
        topology_spread=({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},),
        priority_class="high",
        runtime_class="gvisor",
        pass_env=("AWS_*", "AZURE_CLIENT_ID"),
    )
    pool = a_pool(template=template)
    spec = rendered(pool)["spec"]

    assert list(spec["volumes"])[1:] == [{"name": "aws", "secret": {"secretName": "aws"}}]
    assert container(pool)["volumeMounts"][1:] == [{"name": "aws", "mountPath": "/etc/aws", "readOnly": True}]
    assert (spec["imagePullSecrets"], spec["affinity"]) == (({"name": "registry"},), {"nodeAffinity": {}})
    assert (spec["priorityClassName"], spec["runtimeClassName"]) == ("high", "gvisor")
    assert container(pool)["env"][-1] == {"name": "PROVISIONER_PASS_ENV", "value": "AWS_* AZURE_CLIENT_ID"}


def test_pods_are_spread_by_those_of_their_pool_unless_others_are_named() -> None:
    zone: JsonObject = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    other: JsonObject = {**zone, "labelSelector": {"matchLabels": {"team": "a"}}}
    by_pool, by_other = rendered(a_pool(template=PodTemplate(topology_spread=(zone, other))))["spec"][
        "topologySpreadConstraints"
    ]

    assert by_pool == {**zone, "labelSelector": {"matchLabels": {"provisioner.dev/pool": "pool"}}}
    assert by_other == other


def test_the_space_for_runs_grows_with_the_capacity_and_a_pool_may_set_its_own() -> None:
    own: JsonObject = {"name": "tmp", "emptyDir": {"sizeLimit": "90Gi"}}
    other: JsonObject = {"name": "cache", "emptyDir": {}}

    assert rendered(a_pool(capacity=8))["spec"]["volumes"][0]["emptyDir"] == {"sizeLimit": "16Gi"}
    assert rendered(a_pool(template=PodTemplate(volumes=(other, own))))["spec"]["volumes"] == (other, own)


def test_without_a_template_the_operators_own_image_runs_and_may_drain_for_longer_than_an_hour() -> None:
    assert container(a_pool())["image"] == IMAGE
    assert rendered(a_pool())["spec"]["terminationGracePeriodSeconds"] > 3600 + 180


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": (("datacenter", "chicago"),)},
        {"capacity": 2},
        {"lost_after": 60},
        {"cancel_grace": 60},
        {"template": PodTemplate(image="other")},
        {"template": PodTemplate(service_account="other")},
        {"template": PodTemplate(env=(CLOUD,))},
        {"template": PodTemplate(env_from=({"secretRef": {"name": "cloud"}},))},
        {"template": PodTemplate(resources={})},
        {"template": PodTemplate(pass_env=("AWS_*",))},
        {"template": PodTemplate(volumes=({"name": "a", "emptyDir": {}},))},
        {"template": PodTemplate(volume_mounts=({"name": "a", "mountPath": "/a"},))},
        {"template": PodTemplate(image_pull_secrets=({"name": "a"},))},
        {"template": PodTemplate(affinity={})},
        {"template": PodTemplate(topology_spread=({"maxSkew": 1},))},
        {"template": PodTemplate(priority_class="high")},
        {"template": PodTemplate(runtime_class="gvisor")},
        {"template": PodTemplate(labels={"team": "a"})},
        {"template": PodTemplate(annotations={"note": "b"})},
        {"template": PodTemplate(node_selector={"disk": "fast"})},
        {"template": PodTemplate(tolerations=({"operator": "Exists"},))},
        {"template": PodTemplate(termination_grace=60)},
    ],
    ids=str,
)
def test_another_pod_is_another_revision(changes: dict[str, Any]) -> None:
    assert revision(replace(a_pool(), **changes), IMAGE) != revision(a_pool(), IMAGE)


def test_another_default_image_is_another_revision_where_it_is_used() -> None:
    own = a_pool(template=PodTemplate(image="own"))

    assert revision(a_pool(), "newer") != revision(a_pool(), IMAGE)
    assert revision(own, "newer") == revision(own, IMAGE)


@pytest.mark.parametrize(
    "changes",
    [
        {"replicas": 9},
        {"autoscaling": scaling(5)},
        {"max_surge": 4},
        {"resource_version": 7, "generation": 3},
        {"template": PodTemplate(labels={"b": "1", "a": "2"})},
    ],
    ids=str,
)
def test_what_does_not_change_the_pod_rolls_nothing_out(changes: dict[str, Any]) -> None:
    same = a_pool(template=PodTemplate(labels={"a": "2", "b": "1"})) if "template" in changes else a_pool()

    assert revision(replace(same, **changes), IMAGE) == revision(same, IMAGE)


def test_what_no_pool_decides_is_fixed() -> None:
    metadata, spec = rendered(a_pool())["metadata"], dict(rendered(a_pool())["spec"])
    (only,) = spec.pop("containers")

    assert (
        metadata["labels"].items()
        >= {
            "app.kubernetes.io/name": "provisioner-daemon",
            "app.kubernetes.io/managed-by": "provisioner-operator",
        }.items()
    )
    assert metadata["ownerReferences"][0] == {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerPool",
        "name": "pool",
        "uid": "uid-of-pool",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert spec == {
        "restartPolicy": "Never",
        "serviceAccountName": "provisioner-daemon",
        "automountServiceAccountToken": True,
        "terminationGracePeriodSeconds": 4000,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "nodeSelector": {},
        "tolerations": (),
        "imagePullSecrets": (),
        "volumes": ({"name": "tmp", "emptyDir": {"sizeLimit": "10Gi"}},),
    }
    assert (only["name"], only["image"], only["args"]) == ("daemon", IMAGE, ["provisioner-daemon", "run"])
    assert only["resources"] == {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
