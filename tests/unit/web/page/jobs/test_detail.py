"""One job with all that its page shows."""

import re

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.estimates.run_length import RunEstimate
from provisioner_operator.kube.parsing import job_record, parse_job_model
from provisioner_operator.web.page.jobs.action_buttons import action_buttons
from provisioner_operator.web.page.jobs.detail import MOST_SHOWN, JobDetail, as_yaml, job_detail
from provisioner_operator.web.page.jobs.rights import JobRights
from provisioner_operator.web.page.jobs.table import CancelButton
from provisioner_operator.web.page.rendering import render
from support.builders.core import NOON
from support.builders.manifests import a_job_manifest, an_assignment
from support.builders.stored import CREATED, stored
from support.manifests import Manifest

LINKS = dict.fromkeys(("log", "provisioners"), "/x")
hostile = st.text(max_size=12) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\x1b[31mred"]
)


def a_body(*, status: Manifest | None = None, annotations: dict[str, str] | None = None, **spec: object) -> Manifest:
    return stored(a_job_manifest("dev-7", **spec), status=status, annotations=annotations or {})


def a_detail(body: Manifest, run: RunEstimate | None = None) -> JobDetail:
    model = parse_job_model(body)
    return job_detail(model, job_record(model), body, None, run, NOON + 60)


def page_of(body: Manifest, run: RunEstimate | None = None) -> str:
    detail = a_detail(body, run)
    actions = action_buttons(detail, body["spec"], JobRights("ada", detail.org, frozenset()))
    cancel = CancelButton("/x", "Cancel", "ready")
    return render("jobs/job.html", job=detail, actions=actions, cancel=cancel, links=LINKS, stale=None)


def test_a_failure_comes_with_the_next_step() -> None:
    found = a_detail(
        a_body(status={"phase": "Failed", "reason": "DaemonLost", "message": "It is gone.", "finishedAt": CREATED})
    )
    assert found.failure is not None
    assert (found.failure.reason, found.failure.message) == ("DaemonLost", "It is gone.")
    assert found.failure.remedy == "Check its provisioner, then retry it."
    assert found.has_ended


def test_a_run_is_compared_with_those_like_it() -> None:
    body = a_body(status={"phase": "Running", "assignment": an_assignment("d1"), "startedAt": CREATED})
    usual = "Of 120 runs like it, half took up to 30s and nine of ten up to 45s."
    assert a_detail(body, RunEstimate(30, 45, 120, is_overlong=False)).typical == usual
    late = page_of(body, RunEstimate(30, 45, 120, is_overlong=True))
    assert f"It has run for longer than 99 % of the runs like it. {usual}" in late
    assert "data-typical" not in page_of(body)


def test_facts_link_to_what_they_name() -> None:
    body = a_body(
        status={"phase": "Running", "assignment": an_assignment("d1"), "startedAt": CREATED},
        annotations={"provisioner.dev/retry-of": "dev-6"},
        workspaceRef={"name": "dev", "uid": "uid-of-dev", "buildNumber": 7},
    )
    links = {fact.label: fact.href for fact in a_detail(body).facts if fact.href}
    assert links == {
        "Workspace": "/organizations/acme/workspaces/dev",
        "Provisioner": "/organizations/acme/provisioners?from=d1#provisioner-d1",
        "Retry of": "/organizations/acme/provisioner-jobs/dev-6",
    }


def test_only_a_web_address_among_the_outputs_is_a_link() -> None:
    outputs = [{"name": "url", "value": "https://dev.example.com/"}, {"name": "bad", "value": "javascript:alert(1)"}]
    found = a_detail(a_body(status={"phase": "Completed", "outputs": outputs}))
    assert [each.href for each in found.outputs] == ["https://dev.example.com/", None]


def test_very_many_resources_are_counted() -> None:
    resources = [{"address": f"a.b[{number}]", "type": "a", "action": "create"} for number in range(MOST_SHOWN + 3)]
    found = a_detail(a_body(status={"phase": "Completed", "resources": resources}))
    assert (len(found.resources), found.more_resources) == (MOST_SHOWN, 3)


def test_a_cancel_names_its_author_and_reason() -> None:
    found = a_detail(a_body(cancel=True, canceledBy="grace", cancelReason="wrong region", cancelMode="Force"))
    assert found.cancel == ("Cancel requested by grace: wrong region. It is to be killed at once.",)
    assert not found.can_be_suspended


def test_commands_fit_the_phase() -> None:
    pending = [each.label for each in a_detail(a_body()).commands]
    ended = [each.label for each in a_detail(a_body(status={"phase": "Completed"})).commands]
    assert pending == ["Read it", "Explain it", "Cancel it", "Cancel it with Coder's client"]
    assert ended == ["Read it", "Read its log", "Retry it"]


def test_the_yaml_leaves_out_bookkeeping() -> None:
    assert "managedFields" not in as_yaml({"metadata": {"name": "dev", "managedFields": [{"manager": "kubectl"}]}})


@given(hostile, hostile)
def test_no_text_of_a_job_becomes_markup(reason: str, message: str) -> None:
    status = {
        "phase": "Failed",
        "reason": "RunFailed",
        "message": message,
        "outputs": [{"name": "x", "value": message}],
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "RunFailed",
                "message": message,
                "lastTransitionTime": CREATED,
            }
        ],
        "resources": [{"address": message, "type": "a", "action": "create"}],
    }
    harmless = page_of(
        a_body(status=status | _texts(status, "text"), cancel=True, cancelReason="text", initiator="text")
    )
    page = page_of(a_body(status=status, cancel=True, cancelReason=reason, initiator=reason or "x"))
    assert _tags(page) <= _tags(harmless)
    assert "\x1b" not in page


def _texts(status: Manifest, text: str) -> Manifest:
    condition = status["conditions"][0] | {"message": text}
    return {
        "message": text,
        "outputs": [{"name": "x", "value": text}],
        "conditions": [condition],
        "resources": [{"address": text, "type": "a", "action": "create"}],
    }


def _tags(html: str) -> set[str]:
    return set(re.findall(r"</?(\w+)", html))
