"""Dashboards of daemons and pools, of workspaces and templates, and of the controller."""

from monitoring.grafana.board import FULL, HALF, QUARTER, Board, Panel, Query, Row, Shape

_IN = 'namespace=~"$namespace"'
_RATE = "[$__rate_interval]"
_POOL = "max by (namespace, pool)"


def _pool(which: str) -> str:
    return f'{_POOL} (provisioner_pool_daemons{{{_IN},which="{which}"}})'


def fleet() -> Board:
    """Return the dashboard of daemons and pools."""
    daemons = (
        Panel(
            "Daemons by state",
            "Daemons of all namespaces.",
            "short",
            (Query("sum by (state) (provisioner_daemons)", "{{state}}"),),
        ),
        Panel(
            "Failing daemons",
            "Daemons whose last three runs failed as soon as they started.",
            "short",
            (Query("sum(provisioner_daemons_failing)", "failing"),),
            Shape.STAT,
            QUARTER,
        ),
        Panel(
            "Unsaved states",
            "Terraform states that exist only on the disk of a daemon.",
            "short",
            (Query("sum(provisioner_unsaved_states)", "states"),),
            Shape.STAT,
            QUARTER,
        ),
    )
    pools = (
        Panel(
            "Size",
            "Daemons that each pool wants, has, and may have.",
            "short",
            tuple(
                Query(_pool(which), f"{{{{namespace}}}}/{{{{pool}}}} {which}", sometimes=True)
                for which in ("wanted", "present", "idle", "busy", "max")
            ),
        ),
        Panel(
            "Saturation",
            "Busy daemons of each pool, as a share of those that it may have.",
            "percentunit",
            (Query(f"{_pool('busy')} / {_pool('max')}", "{{namespace}}/{{pool}}", sometimes=True),),
        ),
        Panel(
            "Conditions",
            "Conditions of each pool that are true.",
            "short",
            (
                Query(
                    f"max by (namespace, pool, type) (provisioner_pool_condition{{{_IN}}})",
                    "{{namespace}}/{{pool}} {{type}}",
                    sometimes=True,
                ),
            ),
            Shape.TIMELINE,
            FULL,
        ),
    )
    description = "Daemons and pools: whether there are enough, and whether they work."
    return Board("fleet", "Provisioner / Fleet", description, (Row("Daemons", daemons), Row("Pools", pools)))


def workspaces() -> Board:
    """Return the dashboard of workspaces and templates."""
    panels = (
        Panel(
            "Workspaces by phase",
            "Workspaces of all namespaces.",
            "short",
            (Query("sum by (phase) (provisioner_workspaces)", "{{phase}}"),),
        ),
        Panel(
            "Failed workspaces",
            "Workspaces whose last build failed.",
            "short",
            (Query('sum(provisioner_workspaces{phase="Failed"})', "failed"),),
            Shape.STAT,
            QUARTER,
        ),
        Panel(
            "Templates that are not ready",
            "Templates that are stalled, or that are being imported.",
            "short",
            (Query('sum by (state) (provisioner_templates{state!="Ready"})', "{{state}}"),),
            Shape.STAT,
            QUARTER,
        ),
    )
    description = "Workspaces by phase, and templates that cannot be used."
    rows = (Row("Workspaces and templates", panels),)
    return Board("workspaces", "Provisioner / Workspaces", description, rows, by_namespace=False)


def controller() -> Board:
    """Return the dashboard of the operator itself."""
    election = (
        Panel(
            "Leader",
            "1 where the operator leads. Exactly one does.",
            "short",
            (Query("max by (instance) (provisioner_leader)", "{{instance}}"),),
            Shape.TIMELINE,
            FULL - QUARTER,
        ),
        Panel(
            "Version",
            "Operators by version.",
            "short",
            (Query("count by (version) (provisioner_build_info)", "{{version}}"),),
            Shape.STAT,
            QUARTER,
        ),
    )
    work = (
        Panel(
            "Writes",
            "Writes to the API server each second, by kind and result.",
            "ops",
            (Query(f"sum by (kind, result) (rate(provisioner_api_writes_total{_RATE}))", "{{kind}} {{result}}"),),
        ),
        Panel(
            "Decisions (p99)",
            "Time that 99 of 100 rounds of the decision loop take at most.",
            "s",
            (
                Query(
                    f"histogram_quantile(0.99, sum by (le) (rate(provisioner_loop_seconds_bucket{_RATE})))",
                    "p99",
                ),
            ),
        ),
        Panel(
            "Memory",
            "Resident memory of each operator (on Linux).",
            "bytes",
            (
                Query(
                    "max by (instance) (process_resident_memory_bytes and on (instance) provisioner_leader)",
                    "{{instance}}",
                ),
            ),
            width=HALF,
        ),
        Panel(
            "Objects passed over",
            "Objects within the time shown that do not fit their schema, by kind.",
            "short",
            (Query("sum by (kind) (increase(provisioner_unparseable_objects_total[$__range]))", "{{kind}}"),),
            Shape.STAT,
            HALF,
        ),
    )
    description = "The operator: who leads, what it writes, and whether it keeps up."
    rows = (Row("Election", election), Row("Work", work))
    return Board("controller", "Provisioner / Controller", description, rows, by_namespace=False)
