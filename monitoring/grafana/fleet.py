"""Dashboard of daemons and pools."""

from monitoring.grafana.board import FULL, QUARTER, Board, Panel, Query, Row, Shape

_IN = 'namespace=~"$namespace"'
_POOL = "max by (namespace, pool)"


def _pool(which: str) -> str:
    return f'{_POOL} (provisioner_pool_daemons{{{_IN},which="{which}"}})'


def fleet() -> Board:
    """Return the dashboard of daemons and pools."""
    description = "Daemons and pools: whether there are enough, and whether they work."
    return Board("fleet", "Provisioner / Fleet", description, (Row("Daemons", _daemons()), Row("Pools", _pools())))


def _daemons() -> tuple[Panel, ...]:
    return (
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


def _pools() -> tuple[Panel, ...]:
    return (
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
