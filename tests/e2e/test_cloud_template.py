"""A Coder template of a cloud, whose provider takes credentials only from its environment, in pools that have them and in ones that do not.

The cloud is a stub, but its provider is a real one, and kubelet writes the token.
"""

import base64
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.product import WITHIN, Team
from provisioner_devcluster import NodeCluster
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import GoModule
from support.manifests import Manifest
from support.programs.provider_server import ProviderPackage, Served, coder_packages, serving_providers

VERSION = "1.0.0"
STUB = GoModule(
    name="stub-provider",
    directory=Path(__file__).parent / "stub_provider",
    package=".",
    program=f"terraform-provider-stub_v{VERSION}",
    linker_flags="",
    duration="a minute",
)
TEMPLATE = (Path(__file__).parent / "templates" / "cloud.tf").read_text(encoding="utf-8")
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI-K7MDENG"
ROLE = "arn:stub:iam::111122223333:role/team"
AUDIENCE = "sts.stub.example.com"
CLOUD_TOKEN = "/var/run/secrets/stub/token"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""The daemon's own credentials."""
MIRROR = "/etc/mirror"
IDENTITY = {"POD_NAME", "POD_NAMESPACE", "POD_UID", "KUBECONFIG"}
FOR_THE_BACKEND = {"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}


@pytest.fixture(scope="module")
def mirror(own_cluster: NodeCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Both providers, where the cluster's Pods can reach them."""
    packages = [*coder_packages(), ProviderPackage("example.com/clouds/stub", VERSION, build(STUB))]
    host = str(own_cluster.sandbox.addresses.host)
    with serving_providers(tmp_path_factory.mktemp("mirror"), packages, host=host) as served:
        yield served


@pytest.fixture
def cloud_team(team: Team, mirror: Served) -> Team:
    """A team with the settings of the mirror and the cloud's key."""
    files = [f"--from-file=mirror.tfrc={mirror.configuration}", f"--from-file=authority.crt={mirror.authority}"]
    team.admin.run("create", "configmap", "mirror", *files)
    literals = [f"--from-literal=STUB_ACCESS_KEY={KEY}", f"--from-literal=STUB_SECRET_KEY={SECRET}"]
    team.admin.run("create", "secret", "generic", "stub", *literals)
    return team


def a_pod(*, env: dict[str, str] | None = None, token: bool = False, **more: object) -> Manifest:
    """The template of a pool's Pods that install providers from the mirror."""
    found = {"TF_CLI_CONFIG_FILE": f"{MIRROR}/mirror.tfrc", "SSL_CERT_FILE": f"{MIRROR}/authority.crt"} | (env or {})
    volumes: list[Manifest] = [{"name": "mirror", "configMap": {"name": "mirror"}}]
    mounts: list[Manifest] = [{"name": "mirror", "mountPath": MIRROR, "readOnly": True}]
    if token:
        source = {"serviceAccountToken": {"audience": AUDIENCE, "expirationSeconds": 3600, "path": "token"}}
        volumes.append({"name": "stub", "projected": {"sources": [source]}})
        mounts.append({"name": "stub", "mountPath": str(Path(CLOUD_TOKEN).parent), "readOnly": True})
    settings = {"env": [{"name": name, "value": value} for name, value in found.items()]}
    return settings | {"volumes": volumes, "volumeMounts": mounts} | more


def submit_build(team: Team, number: int, transition: str = "Start") -> None:
    team.submit_terraform(
        f"dev-{number}",
        TEMPLATE,
        transition=transition,
        workspaceRef={"name": "dev", "owner": "alice@example.com", "buildNumber": number},
        variables=[{"name": "region", "value": "eu"}],
    )


def log_of(team: Team, job: Manifest) -> str:
    log: str = team.admin.get("configmap", job["status"]["log"]["configMap"])["data"]["log"]
    return log


def actions(job: Manifest) -> dict[str, str]:
    return {each["address"]: each["action"] for each in job["status"]["resources"] if each["action"] != "read"}


def state_of(team: Team) -> str:
    return gzip.decompress(
        base64.b64decode(team.admin.get("secret", "tfstate-default-dev-ws")["data"]["tfstate"])
    ).decode()


def require_nothing_of_the_daemon(log: str) -> None:
    """Check what the run's programs inherited."""
    inherited = set(re.findall(r"inherits (\w+)=", log))
    assert "CODER_WORKSPACE_NAME" in inherited
    assert not inherited & IDENTITY
    foreign = {name for name in inherited if name.startswith(("KUBE", "PROVISIONER_"))}
    assert foreign == FOR_THE_BACKEND
    assert ACCOUNT not in log


def test_a_pools_projected_token_and_role_reach_the_clouds_provider(cloud_team: Team) -> None:
    team = cloud_team
    env = {"STUB_ROLE_ARN": ROLE, "STUB_WEB_IDENTITY_TOKEN_FILE": CLOUD_TOKEN}
    team.create_pool(template=a_pod(env=env, token=True))
    submit_build(team, 1)
    job = team.jobs.until("dev-1", "Completed", seconds=WITHIN)
    account = f"system:serviceaccount:{team.admin.namespace}:provisioner-daemon"
    assert {each["name"]: each["value"] for each in job["status"]["outputs"]} == {
        "machine": f"eu by role {ROLE} of {account}"
    }
    assert {"coder_agent.main", "stub_machine.workspace[0]", "coder_metadata.machine[0]"} <= actions(job).keys()
    require_nothing_of_the_daemon(log_of(team, job))

    submit_build(team, 2, "Delete")
    job = team.jobs.until("dev-2", "Completed", seconds=WITHIN)
    assert actions(job)["stub_machine.workspace[0]"] == "delete"


def test_a_pools_secret_reaches_the_clouds_provider_and_is_masked(cloud_team: Team) -> None:
    team = cloud_team
    team.create_pool(template=a_pod(envFrom=[{"secretRef": {"name": "stub"}}]))
    submit_build(team, 1)
    job = team.jobs.until("dev-1", "Completed", seconds=WITHIN)
    assert f"eu by key {KEY}" in state_of(team)
    log = log_of(team, job)
    require_nothing_of_the_daemon(log)
    assert "inherits STUB_SECRET_KEY=(secret)" in log
    assert job["status"]["outputs"] == [{"name": "machine", "value": "eu by key (secret)"}]
    told = f"{job} {log} {team.logs(team.daemon_of('dev-1'))}"
    assert SECRET not in told
    assert KEY not in told


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "set STUB_ACCESS_KEY and STUB_SECRET_KEY, or STUB_ROLE_ARN and STUB_WEB_IDENTITY_TOKEN_FILE"),
        (
            {"STUB_ROLE_ARN": ROLE, "STUB_WEB_IDENTITY_TOKEN_FILE": f"{ACCOUNT}/token"},
            f"the token in {ACCOUNT}/token is for [https://",
        ),
    ],
    ids=["nothing", "own token"],
)
def test_without_the_clouds_credentials_a_build_says_what_is_missing(
    cloud_team: Team, env: dict[str, str], said: str
) -> None:
    cloud_team.create_pool(template=a_pod(env=env))
    submit_build(cloud_team, 1)
    job = cloud_team.jobs.until("dev-1", "Failed", seconds=WITHIN)
    assert job["status"]["reason"] == "RunFailed"
    assert "No valid credentials for the stub cloud" in job["status"]["message"]
    assert said in job["status"]["message"] + log_of(cloud_team, job)
