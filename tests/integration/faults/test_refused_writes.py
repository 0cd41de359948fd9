"""Refused writes: reported once, retried with backoff, and carried out as soon as the API server allows them."""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from support.builders.manifests import a_pool_manifest, a_template_manifest, a_workspace_manifest
from support.cluster.api import Reply
from support.cluster.kubectl import Kubectl
from support.cluster.pods import a_daemon_pod, daemon_binding, service_account
from support.cluster.watching import watching
from support.manifests import Manifest
from support.programs.programs import OperatorProgram
from support.test_namespace import OPERATOR, ProductNamespace, condition

WATCHED_SECONDS = 12.0
"""Long enough for a storm to be seen: hundreds of requests, where a few are allowed."""
MOST_TRIES = 6
"""In that time and the seconds around it, with pauses of 1, 2, 4 and 8 seconds."""
IN_FORCE_WITHIN = 60.0
RECOVERS_WITHIN = 150.0
GROUP = "rbac.authorization.k8s.io"


@contextmanager
def a_policy(product: ProductNamespace, resource: str, operation: str, expression: str, message: str) -> Iterator[None]:
    """A cluster policy that concerns this namespace alone, once the API server acts by it."""
    group, _, plural = resource.rpartition(".")
    name = f"refuses-{product.namespace}"
    rules = [{"apiGroups": [group], "apiVersions": ["*"], "operations": [operation], "resources": [plural]}]
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    policy = kind | {
        "kind": "ValidatingAdmissionPolicy",
        "spec": {
            "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": expression, "message": message}],
        },
    }
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": product.namespace}}}
    binding = kind | {
        "kind": "ValidatingAdmissionPolicyBinding",
        "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": here},
    }
    product.admin.create(policy)
    product.admin.create(binding)
    try:
        yield
    finally:
        kinds = ("validatingadmissionpolicybinding", "validatingadmissionpolicy")
        for each in kinds:
            product.admin.delete(each, name)


def await_answer(attempt: Callable[[], Reply], *, refused: str | None) -> None:
    """Try until the API server refuses with these words, or no longer refuses (None)."""
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while True:
        answer = attempt()
        if answer.ok if refused is None else refused in answer.refusal:
            return
        assert time.monotonic() < deadline, f"the API server does not act by what was changed: {answer}"
        time.sleep(0.1)


def tries(operator: OperatorProgram, kind: str, result: str = "refused") -> float:
    """Return the number of times that the controller made this write with this answer."""
    name = f'provisioner_api_writes_total{{kind="{kind}",result="{result}"}}'
    return operator.metrics(name).get(name, 0.0)


def reports(reason: str, words: str) -> Callable[[Manifest], bool]:
    """Whether the object says that it is not ready for this reason, in these words."""

    def does(body: Manifest) -> bool:
        ready = condition(body, "Ready")
        return (ready.get("status"), ready.get("reason")) == ("False", reason) and words in ready["message"]

    return does


def is_ready(body: Manifest) -> bool:
    return condition(body, "Ready").get("status") == "True"


def test_a_policy_that_demands_a_label_on_pods_is_named_by_the_pool_and_costs_few_requests(
    product: ProductNamespace,
) -> None:
    items = [service_account(), *daemon_binding(product.namespace)]
    product.admin.create_all(items)
    words = "every Pod needs the label team"
    labeled = "has(object.metadata.labels) && 'team' in object.metadata.labels"

    def attempt() -> Reply:
        return product.admin.api.create(a_daemon_pod("probe"), dry_run=True)

    with watching(product.admin, "provisionerpools") as pools, product.operator() as operator:
        with a_policy(product, ".pods", "CREATE", labeled, words):
            await_answer(attempt, refused=words)
            product.admin.create(a_pool_manifest(replicas=3))
            pools.until("pool", reports("FailedCreate", words))
            (event,) = product.await_events("pool", "WriteRefused")
            assert words in event["note"]
            time.sleep(WATCHED_SECONDS)
            assert 1 <= tries(operator, "CreatePod") <= MOST_TRIES + 2  # three at once, then one at a time
        await_answer(attempt, refused=None)
        _await_pods(product.admin, 3)
        pools.until_latest("pool", lambda body: condition(body, "Ready").get("reason") != "FailedCreate")


def _await_pods(admin: Kubectl, count: int) -> None:
    deadline = time.monotonic() + RECOVERS_WITHIN
    while len(admin.list_all("pods", selector="provisioner.dev/daemon=true")) < count:
        assert time.monotonic() < deadline, "the pool does not recover"
        time.sleep(0.2)


def test_a_policy_that_refuses_a_conditional_write_is_not_taken_for_news(product: ProductNamespace) -> None:
    product.submit("probe", suspend=True)
    words = "statuses are frozen"

    def attempt() -> Reply:
        return product.admin.api.patch("pj", "probe", {"status": {"message": "x"}}, subresource="status", dry_run=True)

    with product.operator() as operator:
        product.jobs.until("probe", lambda body: "suspendedAt" in body["status"])
        with a_policy(product, "provisioner.dev.provisionerjobs/status", "UPDATE", "false", words):
            await_answer(attempt, refused=words)
            product.submit("job", tags={"nobody": "has-it"})
            (event,) = product.await_events("job", "WriteRefused")
            assert words in event["note"]
            time.sleep(WATCHED_SECONDS)
            assert 1 <= tries(operator, "Explain") <= MOST_TRIES
            assert tries(operator, "Explain", "conflict") == 0
        await_answer(attempt, refused=None)
        product.jobs.until(
            "job", lambda body: body["status"].get("reason") == "NoMatchingDaemon", seconds=RECOVERS_WITHIN
        )


def test_a_right_that_an_upgrade_forgot_is_named_by_the_workspace_and_used_once_it_is_given(
    product: ProductNamespace,
) -> None:
    with (
        watching(product.admin, "wst") as templates,
        watching(product.admin, "ws") as workspaces,
        product.operator() as operator,
        product.daemon(),
    ):
        product.admin.create(a_template_manifest())
        templates.until("template", is_ready)
        _bind(product, _without_creation_of_jobs(product))
        attempt = ("auth", "can-i", "create", "provisionerjobs.provisioner.dev", f"--as={OPERATOR}")
        _await_right(product, attempt, "no")
        product.admin.create(a_workspace_manifest("dev"))
        body = workspaces.until("dev", reports("BuildRefused", "cannot create resource"))
        assert condition(body, "Stalled")["status"] == "True"
        (event,) = product.await_events("dev", "WriteRefused")
        assert "cannot create resource" in event["note"]
        time.sleep(WATCHED_SECONDS)
        assert 1 <= tries(operator, "CreateBuild") <= MOST_TRIES
        logged = [line for line in operator.log.read_text(encoding="utf-8").splitlines() if "CreateBuild of" in line]
        assert len(logged) == 1
        _bind(product, None)
        _await_right(product, attempt, "yes")
        workspaces.until_latest("dev", is_ready, seconds=RECOVERS_WITHIN)
        assert tries(operator, "CreateBuild", "ok") == 1


def _await_right(product: ProductNamespace, attempt: tuple[str, ...], answer: str) -> None:
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while product.admin.attempt(*attempt).stdout.strip() != answer:
        assert time.monotonic() < deadline, f"the operator's right to create jobs is never '{answer}'"
        time.sleep(0.1)


def _without_creation_of_jobs(product: ProductNamespace) -> list[dict[str, Any]]:
    """The operator's rules as a former version may have had them."""
    rules: list[dict[str, Any]] = copy.deepcopy(product.admin.get("clusterrole", OPERATOR)["rules"])
    for rule in rules:
        if "provisionerjobs" in rule.get("resources", ()):
            rule["verbs"] = [verb for verb in rule["verbs"] if verb != "create"]
    return rules


def _bind(product: ProductNamespace, rules: list[dict[str, Any]] | None) -> None:
    """Give the operator these rights in the namespace instead of its ClusterRole's, or the ClusterRole's again (None)."""
    kind, name = ("ClusterRole", OPERATOR) if rules is None else ("Role", "former")
    if rules is not None:
        role = {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules}
        product.admin.create(role)
    binding = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{OPERATOR}-{OPERATOR}"},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": OPERATOR}],
    }
    product.admin.run("replace", "--force", "-f", "-", given=binding)
