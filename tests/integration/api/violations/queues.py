"""Policies of queues."""

from integration.api.violations.row import Creation
from support.builders.manifests import a_queue_manifest

_LABEL = "label is required when {} is Label, and not used otherwise"

QUEUE_ROWS = (
    Creation(
        "a namespace has one ProvisionerQueue, and its name is default",
        a_queue_manifest("other"),
        "metadata.name",
    ),
    Creation(_LABEL.format("by"), a_queue_manifest(fairness={"by": "Label"}), "spec.fairness.label"),
    Creation(_LABEL.format("by"), a_queue_manifest(fairness={"by": "Owner", "label": "team"}), "spec.fairness.label"),
    Creation(
        _LABEL.format("per"),
        a_queue_manifest(limits=[{"name": "a", "per": "Label", "maxRunning": 1}]),
        "spec.limits[0].label",
    ),
    Creation(
        _LABEL.format("per"),
        a_queue_manifest(limits=[{"name": "a", "label": "team", "maxRunning": 1}]),
        "spec.limits[0].label",
    ),
    Creation(
        "history needs at least one of completed, failed and perWorkspace",
        a_queue_manifest(history={}),
        "spec.history",
    ),
)
