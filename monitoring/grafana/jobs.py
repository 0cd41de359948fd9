"""Dashboards of the queue and of runs."""

from monitoring.grafana.board import FULL, HALF, QUARTER, THIRD, Board, Panel, Query, Row, Shape
from monitoring.rules.queue_slo import BURN_RATES, QueueSlo

_IN = 'namespace=~"$namespace"'
_OF = f'{_IN},template=~"$template"'
_RATE = "[$__rate_interval]"
_DISPATCH = "provisioner_job_dispatch_seconds"


def _quantile(share: float, buckets: str, labels: str = "le") -> str:
    return f"histogram_quantile({share}, sum by ({labels}) (rate({buckets}{_RATE})))"


def _with_pool(gauge: str) -> str:
    """Return a gauge of queues, once for each pool that could run the jobs; a queue that has none is there without."""
    queue = "namespace, provisioner, tags"
    value = f"sum by ({queue}) ({gauge}{{{_IN}}})"
    pools = f"max by ({queue}, pool) (provisioner_queue_pool{{{_IN}}})"
    return f"{pools} * on ({queue}) group_left () {value}\nor on ({queue}) {value}"


def queue(slo: QueueSlo) -> Board:
    """Return the dashboard of waiting jobs."""
    return Board(
        "queue",
        "Provisioner / Queue",
        "Jobs that wait, why they wait, and whether they start in time.",
        (Row("Waiting", _waiting()), Row("Wait for a daemon", _dispatch()), Row("Objective", _objective(slo))),
    )


def _waiting() -> tuple[Panel, ...]:
    return (
        Panel(
            "Pending jobs by reason",
            "Jobs that have not started, in all namespaces, by the reason in their status.",
            "short",
            (Query("sum by (reason) (provisioner_jobs_pending)", "{{reason}}", sometimes=True),),
        ),
        Panel(
            "Starts and ends",
            "Jobs that started and that ended each second, and the growth of all unfinished ones: more arrive than end while it is positive.",
            "ops",
            (
                Query(f"sum(rate({_DISPATCH}_count{{{_IN}}}{_RATE}))", "started"),
                Query(f"sum(rate(provisioner_jobs_ended_total{{{_IN}}}{_RATE}))", "ended"),
                Query("sum(deriv(provisioner_jobs[5m]))", "growth of unfinished jobs"),
            ),
        ),
        Panel(
            "Queues",
            "Jobs that wait only for a daemon with their provisioner and tags: their number, the age of the oldest, and the pool that "
            "could run them. A queue without pool waits for daemons that nobody starts.",
            "short",
            (
                Query(_with_pool("provisioner_queue_depth"), "depth", sometimes=True),
                Query(_with_pool("provisioner_queue_oldest_seconds"), "oldest (s)", sometimes=True),
            ),
            Shape.TABLE,
            FULL,
        ),
    )


def _dispatch() -> tuple[Panel, ...]:
    buckets = f"{_DISPATCH}_bucket{{{_IN}}}"
    return (
        Panel(
            "Wait for a daemon",
            "Time to the start since only a daemon was missing. Suspensions and the wait for a busy workspace do not count.",
            "s",
            tuple(Query(_quantile(share, buckets), f"p{share * 100:g}") for share in (0.5, 0.9, 0.99)),
        ),
        Panel(
            "Distribution of the wait",
            "Number of starts by the time for which they waited for a daemon.",
            "s",
            (Query(f"sum by (le) (increase({buckets}{_RATE}))", "{{le}}"),),
            Shape.HEATMAP,
        ),
    )


def _objective(slo: QueueSlo) -> tuple[Panel, ...]:
    errors = "provisioner:job_dispatch_errors:ratio"
    return (
        Panel(
            "Errors of the last three days",
            f"Share of the jobs that started later than {slo.target_seconds:g} s, or never, of all namespaces. The objective allows {slo.budget:.0%}.",
            "percentunit",
            (Query(f"{errors}3d", "errors"),),
            Shape.STAT,
            QUARTER,
        ),
        Panel(
            "Speed of spending",
            "Multiples of the speed that spends the error budget in 30 days, by window. Alerts fire at "
            + ", ".join(f"{rate.factor:g} ({rate.long})" for rate in BURN_RATES)
            + ".",
            "short",
            tuple(Query(f"{errors}{rate.long} / {slo.budget:g}", rate.long) for rate in BURN_RATES),
            width=FULL - QUARTER,
        ),
    )


def runs() -> Board:
    """Return the dashboard of runs."""
    return Board(
        "runs",
        "Provisioner / Runs",
        "Jobs that ended: how, why, and where their time went.",
        (Row("Ends", _ends()), Row("Durations", _durations()), Row("Cancels and failures", _failures())),
        by_template=True,
    )


def _ends() -> tuple[Panel, ...]:
    ended = "provisioner_jobs_ended_total"
    return (
        Panel(
            "Success by template",
            "Share of the jobs of each template that completed.",
            "percentunit",
            (
                Query(
                    f'sum by (namespace, template) (rate({ended}{{{_OF},phase="Completed"}}{_RATE}))\n'
                    f"/ sum by (namespace, template) (rate({ended}{{{_OF}}}{_RATE}))",
                    "{{namespace}}/{{template}}",
                ),
            ),
        ),
        Panel(
            "Ends by reason",
            "Jobs that ended each second, by final phase and reason.",
            "ops",
            (Query(f"sum by (phase, reason) (rate({ended}{{{_OF}}}{_RATE}))", "{{phase}}: {{reason}}"),),
        ),
    )


def _durations() -> tuple[Panel, ...]:
    runs_of = f"provisioner_job_run_seconds_bucket{{{_OF}}}"
    return (
        Panel(
            "Runs",
            "Time from the start to the end of a job.",
            "s",
            tuple(Query(_quantile(share, runs_of), f"p{share * 100:g}") for share in (0.5, 0.9)),
        ),
        Panel(
            "Stages (p90)",
            "Time that nine of ten stages take at most, in all namespaces.",
            "s",
            (Query(_quantile(0.9, "provisioner_job_stage_seconds_bucket", "le, stage"), "{{stage}}"),),
        ),
    )


def _failures() -> tuple[Panel, ...]:
    return (
        Panel(
            "Failures by reason",
            "Jobs that failed each second, in all namespaces, by reason.",
            "ops",
            (
                Query(
                    f"sum by (reason) (rate(provisioner_job_failures_total{_RATE})) > 0", "{{reason}}", sometimes=True
                ),
            ),
            width=HALF,
        ),
        Panel(
            "Cancels by result",
            "Jobs that ended after a cancel, in the time shown, by what became of the cancel.",
            "short",
            (Query("sum by (result) (increase(provisioner_job_cancels_total[$__range]))", "{{result}}"),),
            Shape.STAT,
            THIRD + 4,
        ),
    )
