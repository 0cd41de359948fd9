"""The alerts, but for those of the queue's objective: what each looks for, and what a notification says."""

from monitoring.rules.queue_slo import QueueSlo
from monitoring.rules.rule import Alert, Group, Severity

CONTROLLER, QUEUE, RUNS, FLEET = (f"provisioner-{name}" for name in ("controller", "queue", "runs", "fleet"))
CRITICAL, WARNING, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO

OPERATOR = (
    Alert(
        "OperatorDown",
        CRITICAL,
        "absent(provisioner_build_info)",
        "No provisioner-operator is scraped.",
        "Jobs neither start nor time out, and cancels have no effect, unless only the scraping fails. Check the Pods of the operator and its scrape target.",
        CONTROLLER,
        "5m",
    ),
    Alert(
        "WithoutLeader",
        CRITICAL,
        # Without any operator there is no sum: ProvisionerOperatorDown is the alert for that.
        "sum(provisioner_leader) != 1",
        "Not exactly one provisioner-operator leads.",
        "Jobs neither start nor time out, and cancels have no effect. Check the Pods of the operator and the Lease provisioner-operator.",
        CONTROLLER,
        "2m",
    ),
    Alert(
        "NoStandby",
        WARNING,
        "count(provisioner_leader) < 2",
        "The provisioner-operator has no standby.",
        "If the only controller fails, jobs wait until another Pod has started. Check the Deployment provisioner-operator.",
        CONTROLLER,
        "15m",
    ),
    Alert(
        "WritesRefused",
        WARNING,
        'sum by (kind) (increase(provisioner_api_writes_total{result="refused"}[15m])) > 0',
        "The API server refuses writes of the provisioner-operator: {{ $labels.kind }}.",
        "A permission is missing, or another admission policy refuses the writes. Check the log of the operator.",
        CONTROLLER,
        "15m",
    ),
    Alert(
        "ObjectsUnparseable",
        WARNING,
        "sum by (kind) (increase(provisioner_unparseable_objects_total[1h])) > 0",
        "An object of kind {{ $labels.kind }} does not fit its schema and is passed over.",
        "An Event of the object names the field. Correct or delete the object.",
        CONTROLLER,
    ),
    Alert(
        "DecisionsSlow",
        WARNING,
        "histogram_quantile(0.99, sum by (le) (rate(provisioner_loop_seconds_bucket[10m]))) > 0.5",
        "Decisions of the provisioner-operator take long.",
        "The slowest 1 % of the rounds of its loop take more than {{ $value | humanizeDuration }}. The operator has too little CPU, or too many objects.",
        CONTROLLER,
        "10m",
    ),
)

JOBS = (
    Alert(
        "JobsStuck",
        WARNING,
        'sum by (reason) (provisioner_jobs_pending{reason=~"NoMatchingDaemon|DaemonsOffline|DaemonsCordoned"}) > 0',
        "{{ $value }} provisioner jobs cannot start until somebody acts: {{ $labels.reason }}.",
        "The message of each job describes the smallest change that helps (kubectl get pj -A).",
        QUEUE,
        "10m",
    ),
    Alert(
        "QueueSlow",
        WARNING,
        "max by (namespace, provisioner, tags) (provisioner_queue_oldest_seconds) > 900",
        "A provisioner job has waited for a daemon for more than 15 minutes.",
        "In {{ $labels.namespace }}, for {{ $labels.provisioner }} with tags {{ $labels.tags }}.",
        QUEUE,
        "5m",
    ),
    Alert(
        "JobsLost",
        WARNING,
        'sum(increase(provisioner_job_failures_total{reason="DaemonLost"}[15m])) > 0',
        "Provisioner jobs failed because their daemons were lost.",
        "Check kubectl get pd -A and the logs of the daemons.",
        RUNS,
    ),
    Alert(
        "TemplateFailing",
        WARNING,
        'sum by (namespace, template) (increase(provisioner_jobs_ended_total{phase="Failed",template!=""}[1h]))\n'
        "/\n"
        'sum by (namespace, template) (increase(provisioner_jobs_ended_total{template!=""}[1h])) > 0.5\n'
        'and sum by (namespace, template) (increase(provisioner_jobs_ended_total{template!=""}[1h])) >= 5',
        "Most jobs of template {{ $labels.template }} in {{ $labels.namespace }} fail.",
        "{{ $value | humanizePercentage }} of the jobs that ended within the last hour failed. The logs of the jobs say why.",
        RUNS,
        "10m",
    ),
    Alert(
        "StateLocked",
        WARNING,
        'sum(increase(provisioner_job_failures_total{reason="StateLocked"}[15m])) > 0',
        "Provisioner jobs failed because the states of their workspaces are locked.",
        "A run that nobody can be sure is over holds the lock, or another program does. The message of each job names the holder.",
        RUNS,
    ),
    Alert(
        "StateUnsaved",
        WARNING,
        "sum(provisioner_unsaved_states) > 0",
        "{{ $value }} Terraform states exist only on the disk of a daemon.",
        "They could not be saved after a run. Jobs of these workspaces wait, and their daemons' Pods must not be deleted.",
        FLEET,
        "5m",
    ),
)


def _fleet(slo: QueueSlo) -> tuple[Alert, ...]:
    return (
        Alert(
            "PoolStalled",
            WARNING,
            'max by (namespace, pool) (provisioner_pool_condition{type="Stalled"}) == 1',
            "Pool {{ $labels.pool }} in {{ $labels.namespace }} cannot start its daemons.",
            "Its Pods fail, or a write is refused. The message of the pool's condition Stalled says why.",
            FLEET,
            "10m",
        ),
        Alert(
            "DaemonsFailing",
            WARNING,
            "sum(provisioner_daemons_failing) > 0",
            "On {{ $value }} provisioner daemons, all runs fail as soon as they start.",
            "Jobs go to other daemons with the same tags for five minutes, if there are any. The condition Healthy of the daemon and the logs of its jobs say why.",
            FLEET,
            "2m",
        ),
        Alert(
            "PoolAtMaximum",
            INFO,
            '(max by (namespace, pool) (provisioner_pool_daemons{which="wanted"})\n'
            '  >= max by (namespace, pool) (provisioner_pool_daemons{which="max"})) > 0\n'
            "and on (namespace)\n"
            f"max by (namespace) (provisioner_queue_oldest_seconds) > {slo.target_seconds:g}",
            "Jobs wait in {{ $labels.namespace }}, and pool {{ $labels.pool }} is as large as it may be.",
            "It has {{ $value }} daemons. If the waiting jobs are for this pool, raise maxReplicas or replicas.",
            FLEET,
            "30m",
        ),
    )


def groups(slo: QueueSlo) -> tuple[Group, ...]:
    """Return all rules, in groups."""
    return (
        Group("provisioner-operator", (*OPERATOR, *JOBS, *_fleet(slo))),
        slo.group(),
    )
