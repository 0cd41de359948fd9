"""Following jobs by name to whatever is waited for, through outages of the API server."""

import time
from collections.abc import Callable, Iterator, Sequence

from provisioner_operator.cli.api.client import Body, Cluster
from provisioner_operator.cli.api.watch_feed import Changed, Ended, Feed, Gone, Listed, Recovered, Trouble
from provisioner_operator.cli.errors import NotFoundError, TimedOutError
from provisioner_operator.cli.output.times import duration
from provisioner_operator.kube import paths, selectors

Say = Callable[[str], None]
_POLL = 0.5


def follow(
    cluster: Cluster, namespace: str, names: Sequence[str], *, timeout: float | None, say: Say
) -> Iterator[tuple[str, Body | None]]:
    """Each job as it is, and again whenever it changed; None for one that does not exist, or no longer.

    Goes on until the caller stops. Raises TimedOutError, or what the API server says.
    """
    wanted = set(names)
    selector = f"metadata.name={names[0]}" if len(names) == 1 else selectors.UNFINISHED_JOBS
    feed = Feed(cluster, paths.jobs(namespace), {"fieldSelector": selector})
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            left = _POLL if deadline is None else min(_POLL, deadline - time.monotonic())
            news = feed.next(max(0.0, left))
            match news:
                case Listed(bodies):
                    found = {body["metadata"]["name"]: body for body in bodies}
                    for name in names:
                        yield name, found[name] if name in found else _read(cluster, namespace, name)
                case Changed(body) if body["metadata"]["name"] in wanted:
                    yield body["metadata"]["name"], body
                case Gone(body) if body["metadata"]["name"] in wanted:
                    # It was deleted, or it has ended and left what is watched.
                    yield body["metadata"]["name"], _read(cluster, namespace, body["metadata"]["name"])
                case Trouble(message):
                    say(f"{message} Trying again.")
                case Recovered():
                    say("The API server is back.")
                case Ended(error):
                    raise error
                case _:
                    pass
            if deadline is not None and time.monotonic() >= deadline and news is None:
                raise TimedOutError(f"Not within {duration(timeout or 0)}.")
    finally:
        feed.close()


def _read(cluster: Cluster, namespace: str, name: str) -> Body | None:
    try:
        return cluster.get(paths.job(namespace, name))
    except NotFoundError:
        return None
