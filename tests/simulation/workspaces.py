"""Templates and workspaces of the simulated controller: the product's reconciler over the simulated network."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import (
    CheckWorkspace,
    CreateBuild,
    CreateDriftCheck,
    CreatePlan,
    DiscardVersion,
    FindBuilds,
    FindImport,
    FindWorkspaces,
    HoldTemplate,
    HoldWorkspace,
    ImportVersion,
    KeepFiles,
    ReadSource,
    ReleaseTemplate,
    ReleaseWorkspace,
    Supersede,
    UpdateTemplateStatus,
    UpdateWorkspaceStatus,
    WorkspaceDecision,
)
from provisioner_operator.core.workspaces.records import Template, Workspace
from provisioner_operator.kube.parsing import parse_job_model
from provisioner_operator.kube.workspace_job_parsing import build_of, drift_check_of, import_of
from provisioner_operator.kube.workspace_parsing import parse_template, parse_workspace
from simulation.exchange import Exchange
from simulation.network import Call, Network, Result
from simulation.server import JOB, TEMPLATE, WORKSPACE, GoneError
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.controller import SimulatedController
    from simulation.invariants import Invariants


TAKEN = Refusal("NameTaken", "a job of this name exists")


def _nothing() -> None:
    """Do nothing more."""


class WorkspaceHalf:
    """Reconciliation of templates and workspaces; its writes do what the product's do, on the simulated server."""

    def __init__(self, controller: "SimulatedController", network: Network, invariants: "Invariants") -> None:
        self.mirror = WorkspaceReconciler()
        self._controller = controller
        self._network = network
        self._invariants = invariants
        self._exchange = Exchange(controller, network, invariants, self.mirror)

    def observe(self, body: Body) -> None:
        match body["kind"]:
            case "WorkspaceTemplate":
                self.mirror.observe_template(parse_template(body))
            case "Workspace":
                self.mirror.observe_workspace(parse_workspace(body))
            case _:
                model = parse_job_model(body)
                if (build := build_of(model)) is not None:
                    self.mirror.observe_build(build)
                if (imported := import_of(model)) is not None:
                    self.mirror.observe_import(imported)
                if (check := drift_check_of(model)) is not None:
                    self.mirror.observe_drift_check(check)

    def _observe_fresh(self, body: Body) -> None:
        """Observe an object in the server's answer, not by a watch."""
        self.observe(body)
        self.mirror.workspace_checked(body["metadata"]["uid"])

    def gone(self, kind: str, uid: str, last: Body | None = None) -> None:
        """Observe that an object is gone; `last` is its last state, without status if the watch did not show that."""
        match kind:
            case "WorkspaceTemplate":
                self.mirror.template_deleted(uid)
            case "Workspace":
                self.mirror.workspace_deleted(uid)
            case "ProvisionerJob":
                if last is not None and "status" in last and (build := build_of(parse_job_model(last))) is not None:
                    self.mirror.build_deleted(build)
                self.mirror.job_deleted(uid)
            case _:
                pass

    def uids(self) -> dict[str, str]:
        """Return the observed objects with their kinds."""
        templates = {each.uid: TEMPLATE for each in self.mirror.templates()}
        return templates | {each.uid: WORKSPACE for each in self.mirror.workspaces()}

    def decide(self) -> None:
        for decision in list(self.mirror.decide(self._controller.now)):
            self._invariants.decided_about_workspace(decision)
            match decision:
                case FindWorkspaces():
                    self._find_workspaces(decision)
                case FindImport():
                    self._find_import(decision)
                case FindBuilds():
                    self._find_builds(decision)
                case CheckWorkspace(workspace):
                    self._read(decision, workspace)
                case _:
                    self._carry_out(decision)

    def _carry_out(self, decision: WorkspaceDecision) -> None:
        server = self._network.server
        match decision:
            case KeepFiles(template, version):
                self._do(decision, lambda: None, lambda: self.mirror.files_kept(template, version))
            case DiscardVersion(template, version):
                self._do(decision, lambda: None, lambda: self.mirror.files_discarded(template, version))
            case ImportVersion() | CreateBuild() | CreateDriftCheck() | CreatePlan():
                self._do(decision, lambda: server.submit(decision.body()))
            case HoldTemplate(held) | ReleaseTemplate(held) | HoldWorkspace(held) | ReleaseWorkspace(held):
                operations = decision.patch().operations()
                self._do(decision, lambda: server.patch(held.uid, operations))
            case Supersede(_, build):
                operations = decision.patch().operations()
                self._do(decision, lambda: server.patch(build.job_uid, operations))
            case UpdateTemplateStatus(held) | UpdateWorkspaceStatus(held):
                patch = decision.patch().operations()
                writer = type(decision).__name__
                self._do(decision, lambda: server.patch_status(held.uid, patch, writer))
            case ReadSource():
                raise AssertionError("no template of the simulation has a ConfigMap")

    def _do(self, decision: WorkspaceDecision, call: Call, done: Callable[[], None] = _nothing) -> None:
        def written(result: Result, body: Body | None) -> None:
            if body is not None:
                self._observe_fresh(body)
            if result is not Result.DONE:
                self._learn(decision)
                return
            self.mirror.accepted(decision)
            done()
            self._exchange.settle(decision)

        self._exchange.write(decision, call, written)

    def _learn(self, decision: WorkspaceDecision) -> None:
        """Read the object afresh after a failed precondition or a taken name."""
        match decision:
            case CreateBuild() | CreateDriftCheck() | CreatePlan():
                self._find_bearer(decision)
            case ImportVersion():
                self._find_import(decision)
            case Supersede(_, build):
                self._controller.feed.read_job(build.job_uid, lambda: self._exchange.settle(decision))
            case _:
                held = decision.workspace if hasattr(decision, "workspace") else decision.template
                self._read(decision, held)

    def _read(self, decision: WorkspaceDecision, held: Template | Workspace) -> None:
        def observe(body: Body | None) -> None:
            if body is not None:
                self._observe_fresh(body)
            else:
                self.gone(TEMPLATE if isinstance(held, Template) else WORKSPACE, held.uid)

        self._exchange.read(decision, lambda: self._network.server.get(held.uid), observe)

    def _find_bearer(self, decision: CreateBuild | CreateDriftCheck | CreatePlan) -> None:
        """Read the job with the name of the build, its plan or the check: the workspace's own, or another one."""

        def read() -> Body | None:
            jobs = self._network.server.of_kind(JOB)
            return next((each for each in jobs if each["metadata"]["name"] == decision.job), None)

        def observe(body: Body | None) -> None:
            if body is not None:
                self.observe(body)
                if isinstance(decision, CreateDriftCheck):
                    if not self.mirror.knows_check(body["metadata"]["uid"]):
                        self.mirror.refused(decision, TAKEN, self._controller.now)
                elif (body["spec"].get("workspaceRef") or {}).get("uid") != decision.workspace.uid:
                    self.mirror.number_taken(decision.workspace, decision.number)

        self._exchange.read(decision, read, observe)

    def _find_builds(self, decision: FindBuilds) -> None:
        """List the jobs of the workspace, and read the workspace."""
        held, server = decision.workspace, self._network.server
        jobs: list[Body] = []
        workspaces: list[Body] = []

        def read() -> None:
            jobs.extend(each for each in server.list_kind(JOB) if _workspace_of(each) == held.name)
            workspaces.extend(each for each in server.of_kind(WORKSPACE) if each["metadata"]["uid"] == held.uid)

        def observe() -> None:
            for body in (*jobs, *workspaces):
                self._observe_fresh(body)
            numbers = [each["metadata"]["name"].rpartition("-")[2] for each in jobs]
            self.mirror.builds_found(held, max((int(each) for each in numbers if each.isdecimal()), default=0))

        self._exchange.read_all(decision, read, observe)

    def _find_import(self, decision: FindImport | ImportVersion) -> None:
        """Read the job of the import; a job of another template bears its name in vain."""
        template, version = decision.template, decision.version
        found: list[Body] = []

        def read() -> None:
            named = [
                each for each in self._network.server.of_kind(JOB) if each["metadata"]["name"] == version.import_job
            ]
            found.extend(each for each in named if (each["spec"].get("templateRef") or {}).get("uid") == template.uid)
            if isinstance(decision, ImportVersion) and not found:
                raise GoneError  # not created, and not its own

        def observe() -> None:
            for body in found:
                self._observe_fresh(body)
            if not found:
                self.mirror.import_missing(template, version.name)

        self._exchange.read_all(decision, read, observe)

    def _find_workspaces(self, decision: FindWorkspaces) -> None:
        found: list[Body] = []

        def observe() -> None:
            for body in found:
                self.observe(body)
            self.mirror.workspaces_listed(decision.template.namespace)

        self._exchange.read_all(decision, lambda: found.extend(self._network.server.list_kind(WORKSPACE)), observe)


def _workspace_of(body: Body) -> str | None:
    place = body["spec"].get("workspaceRef")
    return None if place is None else str(place["name"])
