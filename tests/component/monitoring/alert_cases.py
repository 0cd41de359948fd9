"""Time series under which each alert fires, and similar ones under which it does not.

Values are in promtool's notation, one a minute: `0+2x60` is 0, 2, 4 and so on for an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Series = Mapping[str, str]

LONG = 300
"""Minutes of each series: more than the longest `for`."""


@dataclass(frozen=True, slots=True)
class Case:
    """Series for one alert."""

    alert: str
    firing: Series
    quiet: Series
    """Series of which the alert just does not fire, at any time."""
    begins: int = 0
    """First minute in which the firing series satisfy the expression."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that the alert takes from the series."""
    rate: Mapping[str, str] = field(default_factory=dict)
    """Labels that distinguish alerts of the same name."""
    value: str = ""
    """The value as the annotations show it."""


def constant(value: float) -> str:
    """Return the same value each minute."""
    return f"{value:g}x{LONG}"


def rising(step: float) -> str:
    """Return a counter that rises evenly."""
    return f"0+{step:g}x{LONG}"


def once(minute: int) -> str:
    """Return a counter that rises by one in that minute, and never again."""
    return f"{' '.join(['0'] * minute)} {constant(1)}"


def late_starts(share: float, jobs: int = 100) -> Series:
    """Return the series of so many starts a minute, of which this share is late."""
    where = 'namespace="acme",provisioner="terraform"'
    return {
        f"provisioner_job_dispatch_seconds_count{{{where}}}": rising(jobs),
        f'provisioner_job_dispatch_seconds_bucket{{{where},le="60.0"}}': rising(jobs * (1 - share)),
        'provisioner_job_failures_total{reason="PendingTimeout"}': constant(0),
    }


def timeouts(share: float) -> Series:
    """Return the series of jobs of which this share never starts, in two namespaces."""
    started = 50 * (1 - share)
    return {
        'provisioner_job_failures_total{reason="PendingTimeout"}': rising(100 * share),
        **{
            f'provisioner_job_dispatch_seconds_{series},namespace="{namespace}"}}': rising(started)
            for namespace in ("acme", "other")
            for series in ('count{provisioner="terraform"', 'bucket{provisioner="terraform",le="60.0"')
            if share < 1
        },
    }


def ended(phase: str) -> str:
    """Return the name of the series of jobs of one template that ended."""
    return f'provisioner_jobs_ended_total{{namespace="acme",template="docker",phase="{phase}",reason="{phase}"}}'


def pool(which: str, name: str = "gpu") -> str:
    """Return the name of a pool's series."""
    return f'provisioner_pool_daemons{{namespace="acme",pool="{name}",which="{which}"}}'


def failures(reason: str) -> str:
    """Return the name of the series of jobs that failed for this reason."""
    return f'provisioner_job_failures_total{{reason="{reason}"}}'


def rounds(slow: float) -> Series:
    """Return the series of a loop of which this share of the rounds takes between half a second and one."""
    return {
        'provisioner_loop_seconds_bucket{le="0.5"}': rising(100 * (1 - slow)),
        'provisioner_loop_seconds_bucket{le="1.0"}': rising(100),
        'provisioner_loop_seconds_bucket{le="+Inf"}': rising(100),
    }


QUEUE = 'provisioner_queue_oldest_seconds{namespace="acme",provisioner="terraform",tags="gpu=yes"}'
REFUSED = 'provisioner_api_writes_total{kind="Assign",result="refused"}'
INFO = 'provisioner_build_info{version="1"}'
POOL = {"namespace": "acme", "pool": "gpu"}

OPERATOR = (
    Case("OperatorDown", {"up": constant(0)}, {INFO: constant(1)}),
    Case(
        "WithoutLeader",
        {'provisioner_leader{pod="a"}': constant(0), 'provisioner_leader{pod="b"}': constant(0)},
        {'provisioner_leader{pod="a"}': constant(0), 'provisioner_leader{pod="b"}': constant(1)},
    ),
    # Two that lead are no better than none; without any operator, only its own alert fires.
    Case("WithoutLeader", {'provisioner_leader{pod="a"}': constant(1), 'provisioner_leader{pod="b"}': constant(1)}, {}),
    Case(
        "NoStandby",
        {'provisioner_leader{pod="a"}': constant(1)},
        {'provisioner_leader{pod="a"}': constant(1), 'provisioner_leader{pod="b"}': constant(0)},
    ),
    Case(
        "WritesRefused",
        {REFUSED: f"0 0 0 1+1x{LONG}"},
        {REFUSED: once(3), REFUSED.replace("refused", "ok"): rising(9)},
        begins=3,
        labels={"kind": "Assign"},
    ),
    Case(
        "ObjectsUnparseable",
        {'provisioner_unparseable_objects_total{kind="Workspace"}': once(3)},
        {'provisioner_unparseable_objects_total{kind="Workspace"}': constant(7)},
        begins=3,
        labels={"kind": "Workspace"},
    ),
    # Of the slowest 1 %, the boundary is interpolated within the bucket from 0.5 s to 1 s.
    Case("DecisionsSlow", rounds(1), rounds(0.005), begins=1, value="995ms"),
)

JOBS = (
    *(
        Case(
            "JobsStuck",
            {f'provisioner_jobs_pending{{reason="{reason}"}}': constant(3)},
            {f'provisioner_jobs_pending{{reason="{other}"}}': constant(3) for other in ("DaemonsBusy", "Suspended")},
            labels={"reason": reason},
            value="3",
        )
        for reason in ("NoMatchingDaemon", "DaemonsOffline", "DaemonsCordoned")
    ),
    Case(
        "QueueSlow",
        {QUEUE: constant(901)},
        {QUEUE: constant(900)},
        labels={"namespace": "acme", "provisioner": "terraform", "tags": "gpu=yes"},
    ),
    Case("JobsLost", {failures("DaemonLost"): once(3)}, {failures("RunFailed"): rising(1)}, begins=3),
    Case(
        "TemplateFailing",
        {ended("Failed"): rising(1)},
        {ended("Failed"): rising(1), ended("Completed"): rising(1)},
        begins=5,
        labels={"namespace": "acme", "template": "docker"},
        value="100%",
    ),
    Case(
        "TemplateFailing",
        {ended("Failed"): rising(3), ended("Completed"): rising(1)},
        {ended("Failed"): f"0 1 2 3 4 {constant(4)}"},
        begins=2,
        labels={"namespace": "acme", "template": "docker"},
        value="75%",
    ),
    Case("StateLocked", {failures("StateLocked"): once(3)}, {failures("StateUnsaved"): rising(1)}, begins=3),
    Case(
        "StateUnsaved",
        {"provisioner_unsaved_states": constant(2)},
        {"provisioner_unsaved_states": "2 2 2x2 0x100"},
        value="2",
    ),
)

FLEET = (
    Case(
        "PoolStalled",
        {'provisioner_pool_condition{namespace="acme",pool="gpu",type="Stalled"}': constant(1)},
        {
            'provisioner_pool_condition{namespace="acme",pool="gpu",type="Stalled"}': constant(0),
            'provisioner_pool_condition{namespace="acme",pool="gpu",type="Reconciling"}': constant(1),
        },
        labels=POOL,
    ),
    Case(
        "DaemonsFailing",
        {"provisioner_daemons_failing": constant(1)},
        {"provisioner_daemons_failing": constant(0)},
        value="1",
    ),
    Case(
        "PoolAtMaximum",
        {pool("wanted"): constant(5), pool("max"): constant(5), QUEUE: constant(61)},
        {pool("wanted"): constant(5), pool("max"): constant(5), QUEUE: constant(60)},
        labels=POOL,
        value="5",
    ),
    Case(
        "PoolAtMaximum",
        {pool("wanted"): constant(5), pool("max"): constant(5), QUEUE: constant(61)},
        {pool("wanted"): constant(4), pool("max"): constant(5), QUEUE: constant(999)},
        labels=POOL,
        value="5",
    ),
    # A pool that is to have no daemons is not at its maximum, and another namespace's jobs are not its own.
    Case(
        "PoolAtMaximum",
        {pool("wanted"): constant(5), pool("max"): constant(5), QUEUE: constant(61)},
        {
            pool("wanted"): constant(0),
            pool("max"): constant(0),
            QUEUE: constant(999),
            pool("wanted").replace("acme", "other"): constant(1),
            pool("max").replace("acme", "other"): constant(1),
        },
        labels=POOL,
        value="5",
    ),
)


def _burn(long: str, short: str, firing: Series, quiet: Series, value: str) -> Case:
    return Case("QueueWaitBudgetBurn", firing, quiet, begins=1, rate={"long": long, "short": short}, value=value)


BUDGET = (
    _burn("1h", "5m", late_starts(0.75), late_starts(0.7), "75%"),
    _burn("1h", "5m", timeouts(1), late_starts(1, jobs=0), "100%"),
    _burn("6h", "30m", timeouts(0.5), late_starts(0.29), "50%"),
    _burn("1d", "2h", late_starts(0.2), late_starts(0.14), "20%"),
    _burn("3d", "6h", late_starts(0.1), timeouts(0.04), "10%"),
)

CASES = (*OPERATOR, *JOBS, *FLEET, *BUDGET)
