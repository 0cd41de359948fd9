"""Actions on jobs and daemons while an operator and daemons run, as each user, with their exit codes."""

import re
import threading

import pytest

from integration.cli.conftest import CLOUD, ON_PREM, People
from provisioner_operator.cli.jobs.log_lines import formatted
from provisioner_operator.core.views.log_lines import parse_console
from support.builders.manifests import role_binding
from support.programs.programs import Program
from support.test_namespace import ProductNamespace

NOBODY = {"nobody": "has-it"}


def test_a_pending_job_is_canceled_and_its_canceler_is_shown(busy: ProductNamespace, people: People) -> None:
    busy.submit("pending", tags=NOBODY)
    answer = people.admin.run("jobs", "cancel", "pending", "--reason", "wrong region", "--wait", "--timeout", "110s")
    assert "pending: Canceled." in answer.out
    shown = people.viewer.run("jobs", "show", "pending").out
    assert "requested by namespace-admin (Graceful): wrong region" in shown
    again = people.admin.run("jobs", "cancel", "pending")
    assert "is Canceled already" in again.out


def test_a_running_job_is_called_canceled_only_when_it_is(busy: ProductNamespace, people: People) -> None:
    busy.submit("running", seconds=300, tags=ON_PREM)
    busy.ledger.await_run("running")
    answer = people.admin.run("jobs", "cancel", "running", "--wait", "--timeout", "110s")
    asked, ended = answer.lines
    assert asked == "running: cancel requested; its run is being interrupted"
    assert ended.startswith("running: Canceled.")


def test_a_running_job_is_left_alone_by_if_pending(busy: ProductNamespace, people: People) -> None:
    busy.submit_held("held", tags=ON_PREM)
    answer = people.admin.attempt("jobs", "cancel", "held", "--if-pending")
    assert answer.code == 5
    assert "It is no longer pending: it is Running. It was left unchanged" in answer.err
    busy.ledger.release("held")
    people.viewer.run("jobs", "wait", "held", "--timeout", "110s")
    late = people.admin.attempt("jobs", "cancel", "held")
    assert (late.code, "It has ended: it is Completed." in late.err) == (5, True)


def test_force_kills_a_run_that_does_not_listen(busy: ProductNamespace, people: People) -> None:
    busy.submit("stubborn", seconds=300, ignore_interrupt="true", tags=ON_PREM)
    busy.ledger.await_run("stubborn")
    timed_out = people.admin.attempt("jobs", "cancel", "stubborn", "--wait", "--timeout", "1s")
    assert timed_out.code == 124
    assert "Not ended yet: stubborn (" in timed_out.err
    answer = people.admin.run("jobs", "cancel", "stubborn", "--force", "--wait", "--timeout", "110s")
    assert "stubborn: Canceled." in answer.out


def test_a_user_who_may_not_cancel_learns_which_permission_is_missing(busy: ProductNamespace, people: People) -> None:
    busy.submit("guarded", tags=NOBODY)
    for user in (people.submitter, people.viewer):
        answer = user.attempt("jobs", "cancel", "guarded")
        assert answer.code == 4
        assert "provisioner-admin" in answer.err
    mixed = people.admin.attempt("jobs", "cancel", "guarded", "not-there")
    assert mixed.code == 3
    assert "guarded: cancel requested" in mixed.out
    busy.jobs.until("guarded", "Canceled")


def test_many_are_canceled_by_what_they_have_in_common(busy: ProductNamespace, people: People) -> None:
    for name in ("many-1", "many-2"):
        busy.submit(name, tags={"many": "yes"})
    preview = people.admin.attempt("jobs", "cancel", "-s", "pending", "--tag", "many=yes")
    assert preview.code == 2
    assert "add --yes" in preview.err
    assert "many-1" in preview.out
    tried = people.admin.run("jobs", "cancel", "-s", "stuck", "--tag", "many=yes", "--dry-run")
    assert tried.out.count("would be canceled (dry run)") == 2
    assert people.submitter.attempt("jobs", "cancel", "--tag", "many=yes", "--dry-run").code == 4
    done = people.admin.run("jobs", "cancel", "--tag", "many=yes", "--yes", "--wait", "--timeout", "110s")
    assert done.out.count(": Canceled.") == 2
    assert "nothing to cancel" in people.admin.run("jobs", "cancel", "--tag", "many=yes", "--yes").err


def test_a_question_in_a_terminal_is_answered_by_no_unless_it_is_yes(busy: ProductNamespace, people: People) -> None:
    busy.submit("asked", tags={"asked": "yes"})
    with people.admin.in_terminal("jobs", "cancel", "--tag", "asked=yes") as terminal:
        terminal.await_text("asked", "Cancel this job in namespace", "[y/N]")
        terminal.press("\r")
        terminal.await_text("nothing was changed")
        assert terminal.exit_code() == 5
    with people.admin.in_terminal("jobs", "cancel", "--tag", "asked=yes") as terminal:
        terminal.await_text("[y/N]")
        terminal.press("y\r")
        assert terminal.exit_code() == 0
    busy.jobs.until("asked", "Canceled")


def test_a_failed_job_shows_what_to_do_and_is_retried(busy: ProductNamespace, people: People) -> None:
    busy.submit("fails", fail="boom", tags=ON_PREM, templateRef={"name": "docker"})
    waited = people.viewer.attempt("jobs", "wait", "fails", "--timeout", "110s")
    assert waited.code == 1
    assert "Failed, so it can no longer be completed" in waited.err
    shown = people.viewer.run("jobs", "show", "fails").out
    assert "RunFailed: " in shown
    assert "What to do: " in shown
    assert "Stages" in shown
    assert people.viewer.attempt("jobs", "retry", "fails").code == 4
    body = people.submitter.run("jobs", "retry", "fails", "-o", "json").document
    assert body["metadata"]["name"] == "fails-retry-1"
    assert body["metadata"]["annotations"] == {"provisioner.dev/retry-of": "fails"}
    assert body["spec"]["templateRef"] == {"name": "docker"}
    assert people.submitter.run("jobs", "retry", "fails").out == "fails-retry-2: submitted\n"
    people.viewer.run("jobs", "wait", "fails-retry-1", "fails-retry-2", "--for", "failed", "--timeout", "110s")
    assert "Repeats:      fails" in people.viewer.run("jobs", "show", "fails-retry-1").out


def test_a_suspended_job_is_held_until_it_is_resumed(busy: ProductNamespace, people: People) -> None:
    busy.submit_held("first", tags=ON_PREM, workspaceRef={"name": "line"})
    busy.submit("second", tags=ON_PREM, workspaceRef={"name": "line"}, initiator="submitter")
    assert people.viewer.attempt("jobs", "suspend", "second").code == 4
    assert people.submitter.run("jobs", "suspend", "second").out == "second: suspended\n"
    assert people.submitter.attempt("jobs", "suspend", "first").code == 5
    assert "Suspended" in people.viewer.run("jobs", "why", "second").out
    busy.ledger.release("first")
    people.submitter.run("jobs", "resume", "second")
    people.viewer.run("jobs", "wait", "second", "first", "--for", "ended", "--timeout", "110s")


def test_waiting_for_what_does_not_come_times_out(busy: ProductNamespace, people: People) -> None:
    busy.submit("waits", tags=NOBODY)
    answer = people.viewer.attempt("jobs", "wait", "waits", "--for", "started", "--timeout", "1s")
    assert answer.code == 124
    assert "Not started yet: waits (" in answer.err
    assert people.viewer.attempt("jobs", "wait", "not-there", "--timeout", "5s").code == 3


def test_a_log_is_read_from_the_archive_and_says_so(busy: ProductNamespace, people: People) -> None:
    busy.submit("talks", lines=20, tags=ON_PREM)
    people.viewer.run("jobs", "wait", "talks", "--timeout", "110s")
    denied = people.viewer.attempt("jobs", "logs", "talks")
    assert denied.code == 4
    assert "ClusterRole view" in denied.err
    busy.admin.create(role_binding("viewer", "view", namespace=busy.namespace))
    whole = people.viewer.run("jobs", "logs", "talks", "--timestamps")
    assert "From the archive, ConfigMap talks-log:" in whole.err
    assert len(whole.lines) >= 20
    assert people.viewer.run("jobs", "logs", "talks", "--tail", "3").lines == [
        line.split(" ", 1)[1] for line in whole.lines[-3:]
    ]
    assert people.viewer.run("jobs", "logs", "talks", "--stage", "apply").out == ""
    busy.submit("mute", tags=NOBODY)
    answer = people.viewer.attempt("jobs", "logs", "mute")
    assert (answer.code, "never started" in answer.err) == (5, True)


def test_a_log_is_followed_to_the_runs_end(busy: ProductNamespace, people: People) -> None:
    busy.submit_held("followed", lines=5, tags=ON_PREM)
    with people.root.started("jobs", "logs", "followed", "-f") as following:
        following.await_line("Daemon d1 is not a Pod, so its output cannot be read.")
        busy.ledger.release("followed")
        assert following.exit_code() == 0
        assert "followed: Completed." in str(following)
        assert len(following.out) >= 5


def test_who_follows_the_log_of_a_pending_job_learns_what_it_waits_for(busy: ProductNamespace, people: People) -> None:
    busy.submit("patient", tags=NOBODY)
    with people.root.started("jobs", "logs", "patient", "-f") as following:
        following.await_line("patient is Pending, and its log begins when it starts.")
        following.await_line("NoMatchingDaemon: ")
        people.admin.run("jobs", "cancel", "patient")
        assert following.exit_code() == 5
        assert "never started" in str(following)


def test_a_daemons_own_output_has_the_lines_that_its_archive_has(
    busy: ProductNamespace, people: People, other_daemon: Program
) -> None:
    busy.submit("spoken", lines=5, tags=CLOUD)
    people.viewer.run("jobs", "wait", "spoken", "--timeout", "110s")
    archived = people.root.run("jobs", "logs", "spoken").lines
    written = [parse_console(line, busy.namespace, "spoken") for line in other_daemon.lines]
    assert [formatted(line, timestamps=False) for line in written if line is not None] == archived
    assert all(line.time for line in written if line is not None)


def test_why_estimates_the_wait_from_runs_that_ended(busy: ProductNamespace, people: People) -> None:
    for number in range(5):
        busy.submit(f"known-{number}", seconds=1, tags=ON_PREM)
        people.viewer.run("jobs", "wait", f"known-{number}", "--timeout", "110s")
    for name in ("fills-1", "fills-2"):
        busy.submit_held(name, tags=ON_PREM)
    busy.submit("queued", tags=ON_PREM)
    text = people.viewer.run("jobs", "why", "queued").out
    assert "DaemonsBusy" in text
    # Earlier tests leave further runs.
    assert re.search(r"\(p90\), estimated from at least \d+ past runs of each kind", text), text
    document = people.viewer.run("jobs", "why", "queued", "-o", "json").document
    assert document["estimate"]["p90Seconds"] >= document["estimate"]["p50Seconds"] >= 0
    for name in ("fills-1", "fills-2"):
        busy.ledger.release(name)
    people.viewer.run("jobs", "wait", "queued", "--timeout", "110s")


@pytest.mark.usefixtures("other_daemon")
def test_a_daemon_is_cordoned_and_uncordoned(busy: ProductNamespace, people: People) -> None:
    assert people.submitter.attempt("daemons", "cordon", "d2").code == 4
    assert people.admin.run("daemons", "cordon", "d2").out == "d2: cordoned\n"
    assert people.admin.run("daemons", "cordon", "d2").out == "d2: is cordoned already\n"
    assert people.viewer.attempt("match", "--tag", "environment=cloud", "--provisioner", "echo").code == 5
    assert people.admin.run("daemons", "uncordon", "d2").out == "d2: uncordoned\n"
    assert people.viewer.run("match", "--tag", "environment=cloud", "--provisioner", "echo").code == 0
    assert busy.namespace


def test_a_drain_waits_for_what_runs_and_kills_nothing(
    busy: ProductNamespace, people: People, other_daemon: Program
) -> None:
    busy.submit_held("drained", tags=CLOUD)
    timed_out = people.admin.attempt("daemons", "drain", "d2", "--timeout", "1s")
    assert timed_out.code == 124
    assert "waits for job drained" in timed_out.err
    threading.Timer(1.0, busy.ledger.release, ["drained"]).start()
    assert people.admin.run("daemons", "drain", "d2", "--timeout", "110s").lines[-1] == "d2: drained"
    assert busy.jobs.until("drained", "Completed")
    people.admin.run("daemons", "uncordon", "d2")
    assert other_daemon.runs


def test_a_drain_by_force_kills_what_runs(busy: ProductNamespace, people: People, other_daemon: Program) -> None:
    busy.submit("killed", seconds=300, tags=CLOUD)
    busy.ledger.await_run("killed")
    answer = people.admin.run("daemons", "drain", "d2", "--force", "--timeout", "110s")
    assert answer.lines[-1] == "d2: drained"
    job = busy.jobs.until("killed", "Canceled")
    assert "drained by force" in job["spec"]["cancelReason"]
    people.admin.run("daemons", "uncordon", "d2")
    assert "killed: Canceled" in people.viewer.run("daemons", "show", "d2").out
    assert other_daemon.runs
