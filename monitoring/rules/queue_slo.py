"""The objective for the wait of jobs, and alerts on the rate at which its error budget is spent.

A job errs if it starts later than the target after it was claimable, or never starts because of its pending timeout. The
windows and factors are those of the Site Reliability Workbook, chapter 5, for a budget of 30 days.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from monitoring.rules.rule import Alert, Group, Record, Severity
from provisioner_operator.controller.telemetry.job_metrics import WAIT_BUCKETS

LEAST_JOBS = 10
"""Jobs in the long window below which no budget alert fires: one slow job of two is no trend."""


@dataclass(frozen=True, slots=True)
class BurnRate:
    """A speed of spending that is too fast, seen in a long window and, so that the alert ends soon, in a short one."""

    factor: float
    """Multiple of the speed that would spend the budget in exactly 30 days."""
    long: str
    short: str
    severity: Severity
    pending: str


BURN_RATES = (
    BurnRate(14.4, "1h", "5m", Severity.CRITICAL, "2m"),
    BurnRate(6, "6h", "30m", Severity.CRITICAL, "15m"),
    BurnRate(3, "1d", "2h", Severity.WARNING, "1h"),
    BurnRate(1, "3d", "6h", Severity.WARNING, "3h"),
)


@dataclass(frozen=True, slots=True)
class QueueSlo:
    """Share of jobs that start within a time after they are claimable."""

    objective: float = 0.95
    target_seconds: float = 60.0
    """A bound of a bucket of the histogram."""

    def __post_init__(self) -> None:
        """Raise ValueError for what the histogram cannot tell, and for an objective that no alert, or only alerts, would fit."""
        if self.target_seconds not in WAIT_BUCKETS:
            bounds = ", ".join(f"{bound:g}" for bound in WAIT_BUCKETS)
            raise ValueError(f"No bucket of the histogram ends at {self.target_seconds:g} s. Choose one of {bounds}.")
        if self.objective >= 1:
            raise ValueError("An objective of 100 % leaves no budget to spend. Choose one below.")
        for rate in BURN_RATES:
            if (share := rate.factor * self.budget) >= 1:
                raise ValueError(
                    f"An objective of {self.objective:.1%} allows {self.budget:.1%} of errors, and {rate.factor:g} times that "
                    f"is {share:.0%} of all jobs: the alert could never fire. Choose an objective above "
                    f"{1 - 1 / max(each.factor for each in BURN_RATES):.1%}."
                )

    @property
    def budget(self) -> float:
        """Share of jobs that may err."""
        return round(1 - self.objective, 9)

    def group(self) -> Group:
        """Return the recording rules and the alerts."""
        return Group("provisioner-operator-queue-slo", (*self._records(), *map(self._alert, BURN_RATES)))

    def _records(self) -> Iterator[Record]:
        for window in dict.fromkeys(window for rate in BURN_RATES for window in (rate.short, rate.long)):
            in_time = f'sum(rate(provisioner_job_dispatch_seconds_bucket{{le="{self.target_seconds:.1f}"}}[{window}]))'
            ratio = f"1 - ({in_time} or vector(0)) / ({_all('rate', window)})"
            yield Record(f"provisioner:job_dispatch_errors:ratio{window}", ratio)
        for rate in BURN_RATES:
            yield Record(f"provisioner:job_dispatch:increase{rate.long}", _all("increase", rate.long))

    def _alert(self, rate: BurnRate) -> Alert:
        limit = f"{rate.factor:g} * {self.budget:g}"
        ratio, jobs = "provisioner:job_dispatch_errors:ratio", "provisioner:job_dispatch:increase"
        days = 30 / rate.factor
        return Alert(
            name="QueueWaitBudgetBurn",
            severity=rate.severity,
            expr=f"{ratio}{rate.long} > {limit}\nand {ratio}{rate.short} > {limit}\nand {jobs}{rate.long} >= {LEAST_JOBS}",
            summary="Too many provisioner jobs wait too long for a daemon.",
            description=(
                f"{{{{ $value | humanizePercentage }}}} of the jobs of the last {rate.long} started later than "
                f"{self.target_seconds:g} s after only a daemon was missing, or never. At this rate the budget of 30 days "
                f"({self.budget:.0%}) is spent in {days:.2g} days."
            ),
            dashboard="provisioner-queue",
            pending=rate.pending,
            labels={"long": rate.long, "short": rate.short},
        )


def _all(function: str, window: str) -> str:
    """Return the expression for all jobs that count: those that started, and those that timed out before."""
    started = f"sum({function}(provisioner_job_dispatch_seconds_count[{window}]))"
    timed_out = f'sum({function}(provisioner_job_failures_total{{reason="PendingTimeout"}}[{window}]))'
    # As long as no job has started there is no time series of starts at all; others may have timed out.
    return f"({started} or vector(0)) + {timed_out}"
