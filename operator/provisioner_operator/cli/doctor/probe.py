"""`doctor`: read everything that jobs need in order to run, as far as this user may, and print the findings."""

from collections.abc import Callable, Iterator

from provisioner_operator import __version__
from provisioner_operator.api.crd.definitions import KINDS
from provisioner_operator.api.v1alpha1.names import API_VERSION, DAEMONS, GROUP, JOBS, LEASE
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.doctor import checks
from provisioner_operator.cli.doctor.checks import Finding, Level
from provisioner_operator.cli.doctor.report import report
from provisioner_operator.cli.errors import CliError, Exit, ForbiddenError, NotFoundError
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body, daemon_report, meta_of
from provisioner_operator.kube.parsing import lease_record

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

_RIGHTS: tuple[tuple[str, str, str, str, str], ...] = (
    ("see jobs", "list", GROUP, JOBS, "provisioner-viewer"),
    ("watch jobs", "watch", GROUP, JOBS, "provisioner-viewer"),
    ("submit jobs", "create", GROUP, JOBS, "provisioner-submitter"),
    ("suspend jobs", "patch", GROUP, JOBS, "provisioner-submitter"),
    ("cancel jobs", "cancel", GROUP, JOBS, "provisioner-admin"),
    ("cordon daemons", "patch", GROUP, DAEMONS, "provisioner-admin"),
    ("read archived logs", "get", "", "configmaps", "view"),
    ("read live logs", "get", "", "pods/log", "view"),
)
"""Actions of users; the verb, group and resource of the permission, and the role that has it."""


def examine(session: Session, operator_namespace: str, *, as_json: bool) -> Exit:
    """Run all checks and print the findings; exit code 1 if one is an error."""
    return report(session, _findings(session, operator_namespace), as_json=as_json)


def _findings(session: Session, operator_namespace: str) -> Iterator[Finding]:
    cluster = session.cluster
    version = cluster.get("/version")
    yield Finding(
        "API server", Level.OK, f"{cluster.server} answers: Kubernetes {version.get('gitVersion', 'unknown')}."
    )
    yield checks.own_clock(cluster.skew or 0.0)
    try:
        resources = cluster.get(f"/apis/{API_VERSION}")["resources"]
    except NotFoundError:
        resources = []
    kinds = checks.kinds([each["name"] for each in resources], [kind.plural for kind in KINDS])
    yield kinds
    yield _checked("definitions", lambda: checks.definitions(_definitions(cluster), _generated()))
    yield _checked("policies", lambda: _policies(cluster))
    yield _checked("stamping", lambda: checks.stamping(_stamping(cluster)))
    yield _checked("operator", lambda: _operator(session, operator_namespace))
    if kinds.level is Level.OK:
        yield from _warnings(session)
        yield from _of_fleet(session)
        yield _checked("rights", lambda: _rights(session))


def _checked(check: str, judge: Callable[[], Finding]) -> Finding:
    """Return the finding, or why there is none."""
    try:
        return judge()
    except ForbiddenError as error:
        return Finding(check, Level.UNKNOWN, f"Not checked: {error}")
    except CliError as error:
        return Finding(check, Level.ERROR, str(error))


def _definitions(cluster: Cluster) -> dict[str, Body]:
    found = {}
    for kind in KINDS:
        try:
            found[kind.plural] = cluster.get(f"{_DEFINITIONS}/{kind.plural}.{GROUP}")
        except NotFoundError:
            continue
    return found


def _generated() -> dict[str, Body]:
    return {kind.plural: kind.definition() for kind in KINDS}


def _names(bodies: list[Body]) -> list[str]:
    return [meta_of(body).name for body in bodies]


def _policies(cluster: Cluster) -> Finding:
    validating = _names(cluster.list(f"{_ADMISSION}/validatingadmissionpolicies"))
    bindings = cluster.list(f"{_ADMISSION}/validatingadmissionpolicybindings")
    return checks.policies(validating, [body["spec"]["policyName"] for body in bindings])


def _stamping(cluster: Cluster) -> list[str] | None:
    try:
        return _names(cluster.list(f"{_ADMISSION}/mutatingadmissionpolicies"))
    except NotFoundError:
        return None


def _warnings(session: Session) -> Iterator[Finding]:
    """Check the component match-warnings, if it is installed."""
    try:
        bodies = session.cluster.list(paths.supplies(session.scope))
    except NotFoundError:
        return
    except ForbiddenError as error:
        yield Finding("warnings", Level.UNKNOWN, f"Not checked: {error}")
        return
    yield checks.warnings({meta_of(body).namespace: body["spec"].get("omitted", ()) for body in bodies})


def _operator(session: Session, namespace: str) -> Finding:
    cluster = session.cluster
    try:
        lease = lease_record(cluster.get(paths.lease(namespace, LEASE)))
    except NotFoundError:
        views = loading.unfinished(cluster, session.scope, session.terminal.note)
        return checks.without_lease((view.job for _, view in views), cluster.now(), namespace)
    return checks.leader(lease, cluster.now(), namespace)


def _of_fleet(session: Session) -> Iterator[Finding]:
    cluster, warn = session.cluster, session.terminal.note
    try:
        fleet = loading.daemons(cluster, session.scope, warn)
        views = loading.unfinished(cluster, session.scope, warn)
        supply = loading.pools(cluster, session.scope, warn)
        policies = loading.queues(cluster, session.scope, warn)
    except ForbiddenError as error:
        yield Finding("daemons", Level.UNKNOWN, f"Not checked: {error}")
        return
    snapshot = loading.snapshot_of((view.job for _, view in views), fleet, supply, policies, cluster)
    reports = [daemon_report(body) for body, _ in fleet]
    yield checks.fleet(snapshot, {report.meta.uid: report.consecutive_failures for report in reports})
    yield checks.versions(reports, __version__)
    yield checks.daemon_clocks(reports, cluster.now())
    yield checks.stuck(snapshot)


def _rights(session: Session) -> Finding:
    allowed = {
        name: session.cluster.may(verb, group, resource, namespace=session.scope)
        for name, verb, group, resource, _ in _RIGHTS
    }
    where = f"in namespace {session.scope}" if session.scope else "in all namespaces"
    return checks.rights(allowed, {name: role for name, *_, role in _RIGHTS}, where)
