"""The next step after a failed job, by its reason, in the page's words. Pure."""

from provisioner_operator.api.v1alpha1.enums import EndReason

REMEDIES: dict[str, str] = {
    EndReason.PENDING_TIMEOUT: "No provisioner started it in time. Check under Provisioners why such jobs wait, then retry it.",
    EndReason.NOT_WORKSPACE_OWNER: "Submit the change through the workspace itself, or ask its owner.",
    EndReason.DEADLINE_EXCEEDED: "Find in its log what took so long, or submit a new job with a longer spec.activeDeadlineSeconds.",
    EndReason.DAEMON_LOST: "Check its provisioner, then retry it.",
    EndReason.STALLED: "Find in its log what it waited for, then retry it.",
    EndReason.RUN_FAILED: "Read the end of its log, fix the template or its variables, then retry it.",
    EndReason.SOURCE_UNAVAILABLE: "Create what the message names, then retry it.",
    EndReason.VARIABLE_UNAVAILABLE: "Create what the message names, then retry it.",
    EndReason.STATE_LOCKED: "Wait until the holder of the lock, named in the message, is done, or release the lock if it is dead; then retry it.",
    EndReason.DAEMON_SHUTDOWN: "Its provisioner was stopped during the run: retry it.",
    EndReason.DELETED: "It is gone once its finalizers (metadata.finalizers) are removed; submit a new job.",
}
