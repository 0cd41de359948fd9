"""The template of the teams' namespaces: the example of a team in the manifests, once for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chart import kustomize
from chart.objects import labeled, moved
from chart.template_text import inline, line, render

if TYPE_CHECKING:
    from chart.kustomize import Manifest

EXAMPLE = "team-example"
OVERLAY = f"overlays/{EXAMPLE}"
NETWORK = "daemon-network-policy"
GROUPS = {"provisioner-submitters": ".submitters", "provisioner-admins": ".admins"}
"""The bindings of the example to groups, and the values with their names."""
CREATED = '(or (not (hasKey . "createNamespace")) .createNamespace)'


def teams() -> str:
    """Return the template, with one document for each object of each team."""
    bodies = kustomize.render(OVERLAY)
    parts = [_guarded(each) for each in (*bodies, *kustomize.component(NETWORK, base=OVERLAY))]
    return "{{- range $.Values.teams }}\n" + "".join(parts) + "{{- end }}\n"


def _guarded(body: Manifest) -> str:
    name = body["metadata"]["name"]
    condition = {"Namespace": CREATED, "NetworkPolicy": ".networkPolicy"}.get(body["kind"]) or GROUPS.get(name)
    text = f"---\n{render(_planned(body))}"
    return f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n" if condition else text


def _planned(body: Manifest) -> Manifest:
    changed = moved(body, EXAMPLE, "{{ .namespace }}")
    if body["kind"] == "Namespace":
        # The states of a team's environments are Secrets in it.
        changed["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    if groups := GROUPS.get(body["metadata"]["name"]):
        (subject,) = body["subjects"]
        named = subject | {"name": inline("{{ . | quote }}")}
        changed["subjects"] = [line(f"{{{{- range {groups} }}}}"), named, line("{{- end }}")]
    return labeled(changed)
