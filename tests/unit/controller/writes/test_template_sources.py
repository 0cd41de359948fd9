"""The ConfigMap of a template's source, in virtual time: files in folders, and an annotation that cannot be followed."""

import asyncio
import json

from provisioner_operator.api.v1alpha1.names import PATHS_ANNOTATION
from provisioner_operator.kube import paths
from support.virtual_controller import NAMESPACE, VirtualController, with_controller


@with_controller()
async def test_the_paths_of_a_source_are_kept_with_its_version(controller: VirtualController) -> None:
    metadata = {"name": "files", "annotations": {PATHS_ANNOTATION: "{"}}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "x"}}
    source = controller.store.add(paths.config_maps(NAMESPACE), body)
    path = controller.add_template(source={"configMapRef": {"name": "files"}})
    await asyncio.sleep(5)
    refused = controller.condition(path)
    assert refused["reason"] == "SourceUnavailable"
    assert "cannot be read: annotation provisioner.dev/paths is no JSON object" in refused["message"]

    annotation = json.dumps({"a": "modules/a.tf"})
    metadata["annotations"] = {PATHS_ANNOTATION: annotation}
    controller.store.objects[paths.config_map(NAMESPACE, "files")] = source | {"metadata": metadata}
    await asyncio.sleep(120)
    kept = [each for each in controller.store.objects.values() if each.get("immutable")]
    assert [(each["data"], each["metadata"]["annotations"][PATHS_ANNOTATION]) for each in kept] == [
        ({"path-0": "x"}, json.dumps({"path-0": "modules/a.tf"}))
    ]
