from provisioner_operator.api.v1alpha1.enums import CancelReason, PendingReason
from provisioner_operator.controller.writes.urgency import urgency_of
from provisioner_operator.core.daemons.decisions import CheckDaemon, MarkOffline
from provisioner_operator.core.jobs.decisions import Assign, Cancel, Explain, Release
from support.builders.core import a_daemon, a_job, a_running_job, an_assigned_job


def test_cancels_go_before_assignments_before_reads_before_explanations_before_everything_else() -> None:
    job, daemon = a_job(), a_daemon()
    explain = Explain(job, PendingReason.NO_MATCHING_DAEMON, "")
    cancel = Cancel(job, CancelReason.NEVER_STARTED, "")
    works = [MarkOffline(daemon, ""), explain, CheckDaemon(daemon), Assign(job, daemon), cancel]
    works += [Release(an_assigned_job(), ""), Cancel(a_running_job(), CancelReason.DAEMON_GONE, "")]
    ordered = [type(each).__name__ for each in sorted(works, key=urgency_of)]
    assert ordered == ["Cancel", "Cancel", "Assign", "CheckDaemon", "Explain", "MarkOffline", "Release"]
