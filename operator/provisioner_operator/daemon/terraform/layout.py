"""Places of one run: its directory, the folder of its files, and the backend of its state. Used by `provisioner`."""

from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.daemon.terraform import state
from provisioner_operator.daemon.terraform.failure import BACKEND_OVERRIDDEN
from provisioner_operator.daemon.terraform.kept_plan import KeptPlan
from provisioner_operator.daemon.terraform.template_backend import TemplateBackend


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of one run's files and its state."""

    directory: Path
    folder: str
    """The folder in which Terraform runs, relative to the run's directory."""
    namespace: str
    workspace: str | None
    """None when there is no state to keep."""
    access: state.ClusterAccess
    own_backend: TemplateBackend | None = None
    """The backend that the files name, if the state is kept there instead of in Secrets."""
    keeps_plan: bool = False
    """Whether the plan is kept for another run, perhaps of another daemon."""
    approved: KeptPlan | None = None
    """The plan to apply, instead of one that the run makes."""

    @property
    def module(self) -> Path:
        """The folder in which Terraform runs."""
        return self.directory / self.folder

    def write_own_files(self) -> None:
        """Configure the backend of the workspace's state, or a throwaway one; write the plan to apply, if there is one."""
        if self.approved is not None:
            self.approved.write(self.module)
        if self.workspace is None:
            state.write_throwaway_backend(self.module)
        elif self.own_backend is not None:
            self.own_backend.write(self.module)
        else:
            # A plan names its backend, and another daemon has its kubeconfig elsewhere.
            is_shared = self.keeps_plan or self.approved is not None
            access = state.reached_from_home(self.directory, self.access) if is_shared else self.access
            state.write_kubernetes_backend(
                self.module, namespace=self.namespace, workspace=self.workspace, access=access
            )

    def fault(self) -> str | None:
        """Return the reason why the initialized configuration would lose the state; None if it keeps it, or has none."""
        if self.workspace is None:
            return None
        if self.own_backend is not None:
            return self.own_backend.fault(self.module)
        kept = state.is_stored_under(self.module, namespace=self.namespace, workspace=self.workspace)
        return None if kept else BACKEND_OVERRIDDEN
