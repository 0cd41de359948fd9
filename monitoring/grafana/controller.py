"""Dashboard of the operator itself."""

from monitoring.grafana.board import FULL, HALF, QUARTER, Board, Panel, Query, Row, Shape

_RATE = "[$__rate_interval]"


def controller() -> Board:
    """Return the dashboard of the operator itself."""
    description = "The operator: who leads, what it writes, and whether it keeps up."
    rows = (Row("Election", _election()), Row("Work", _work()))
    return Board("controller", "Provisioner / Controller", description, rows, by_namespace=False)


def _election() -> tuple[Panel, ...]:
    return (
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


def _work() -> tuple[Panel, ...]:
    return (
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
