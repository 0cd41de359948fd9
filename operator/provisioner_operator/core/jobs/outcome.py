"""How a run ended, as its daemon reports it."""

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
    """What the run did to one resource; of a template that was only read, that it declares it."""

    address: str
    type: str
    action: str


@dataclass(frozen=True, slots=True)
class DeclaredVariable:
    """An input variable that a template declares."""

    name: str
    type: str = "any"
    """As Terraform writes it."""
    required: bool = False
    sensitive: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class LogArchive:
    """Where the log went: a ConfigMap of the job's namespace."""

    config_map: str
    size: int
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run: a final phase, why, and what came of it."""

    phase: Phase
    reason: EndReason
    message: str
    stage: str | None = None
    timings: tuple[StageTiming, ...] = ()
    outputs: tuple[Output, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    variables: tuple[DeclaredVariable, ...] = ()
    """Of the import of a template: what it declares."""
    commit: str | None = None
    """Of a git source: the commit that was taken."""
    log: LogArchive | None = None
