"""Record the end of a run, as its daemon reports it."""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase


@dataclass(frozen=True, slots=True)
class StageTiming:
    """One stage of a run; times in seconds since the epoch, `finished` None if it was cut off."""

    stage: str
    started: float
    finished: float | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """An output value that is not sensitive; anything but text as JSON."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """The action of a run on one resource; an import only reports the declaration."""

    address: str
    type: str
    action: str


@dataclass(frozen=True, slots=True)
class DeclaredVariable:
    """An input variable that a template declares."""

    name: str
    type: str = "any"
    """Type expression, as Terraform writes it."""
    required: bool = False
    sensitive: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class LogArchive:
    """Location of the log: a ConfigMap in the job's namespace."""

    config_map: str
    size: int
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run: a final phase, its reason, and the results."""

    phase: Phase
    reason: EndReason
    message: str
    stage: str | None = None
    timings: tuple[StageTiming, ...] = ()
    outputs: tuple[Output, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    variables: tuple[DeclaredVariable, ...] = ()
    """Variables that an imported template declares."""
    commit: str | None = None
    """Commit that was checked out from a git source."""
    plan_digest: str | None = None
    """Digest of the plan that is kept for its approval."""
    log: LogArchive | None = None
