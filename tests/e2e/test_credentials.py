"""Credentials of a pool in real Pods: kubelet writes the token and the Secret's files, and Terraform finds them."""

import base64
import json

from e2e.product import WITHIN, Team

AUDIENCE = "sts.example.com"
KEY = "wJalrXUtnFEMI-K7MDENG"
TEMPLATE = """
variable "size" {}
locals {
  # A token is three parts of URL-safe base64 without padding.
  claims = split(".", file("/var/run/secrets/cloud/token"))[1]
}
resource "terraform_data" "seen" {
  provisioner "local-exec" {
    command = "echo role $CLOUD_ROLE, key $CLOUD_KEY; test ! -e ~/.aws && test -r /etc/credentials/key"
  }
}
output "claims" { value = local.claims }
output "size" { value = var.size }
"""
POD = {
    "env": [
        {"name": "CLOUD_ROLE", "value": "deployer"},
        {"name": "CLOUD_KEY", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "key"}}},
    ],
    "envFrom": [{"prefix": "TF_VAR_", "configMapRef": {"name": "settings"}}],
    "volumes": [
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"audience": AUDIENCE, "path": "token"}}]}},
        {"name": "files", "secret": {"secretName": "cloud", "defaultMode": 288}},
    ],
    "volumeMounts": [
        {"name": "token", "mountPath": "/var/run/secrets/cloud", "readOnly": True},
        {"name": "files", "mountPath": "/etc/credentials", "readOnly": True},
    ],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    ],
}
"""Like a role of a cloud for a ServiceAccount, and a Secret in both forms."""


def test_a_pools_token_secret_and_settings_reach_terraform(team: Team) -> None:
    team.admin.run("create", "secret", "generic", "cloud", f"--from-literal=key={KEY}")
    team.admin.run("create", "configmap", "settings", "--from-literal=size=large")
    team.create_pool(template=POD)
    team.submit_terraform("dev-1", TEMPLATE, workspaceRef={"name": "dev"})
    job = team.jobs.until("dev-1", "Completed", seconds=WITHIN)
    outputs = {each["name"]: each["value"] for each in job["status"]["outputs"]}
    claims = json.loads(base64.urlsafe_b64decode(outputs["claims"] + "=="))
    log = team.admin.get("configmap", job["status"]["log"]["configMap"])["data"]["log"]

    assert claims["aud"] == [AUDIENCE]
    assert claims["sub"].endswith(":provisioner-daemon")
    assert outputs["size"] == "large"
    assert "role deployer, key (secret)" in log
    assert KEY not in log + team.logs(team.daemon_of("dev-1"))
