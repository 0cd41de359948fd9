"""Follow jobs by name until the caller has seen enough, through outages of the API server."""

import time
from collections.abc import Callable, Iterator, Sequence

from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.api.watch_feed import Changed, Ended, Feed, Gone, Listed, News, Recovered, Trouble
from provisioner_operator.cli.errors import NotFoundError, TimedOutError
from provisioner_operator.cli.output.times import duration
from provisioner_operator.core.jobs.requests import JobState
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.object_states import job_state, meta_of

Note = Callable[[str], None]
_POLL_SECONDS = 0.5


def follow(
    cluster: Cluster, namespace: str, names: Sequence[str], *, timeout: float | None, note: Note
) -> Iterator[tuple[str, JobState | None]]:
    """Yield the state of each job, and again after every change; None for one that does not exist, or no longer.

    Continues until the caller stops. Raises TimedOutError, or the error that the watch ended with.
    """
    selector = f"metadata.name={names[0]}" if len(names) == 1 else selectors.UNFINISHED_JOBS
    feed = Feed(cluster, paths.jobs(namespace), {"fieldSelector": selector})
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            left = _POLL_SECONDS if deadline is None else min(_POLL_SECONDS, deadline - time.monotonic())
            news = feed.next(max(0.0, left))
            yield from _jobs_in(news, cluster, namespace, names, note)
            if deadline is not None and time.monotonic() >= deadline and news is None:
                raise TimedOutError(f"Timed out after {duration(timeout or 0)}.")
    finally:
        feed.close()


def _jobs_in(
    news: News | None, cluster: Cluster, namespace: str, names: Sequence[str], note: Note
) -> Iterator[tuple[str, JobState | None]]:
    match news:
        case Listed(bodies):
            found = {job.meta.name: job for job in map(job_state, bodies)}
            for name in names:
                yield name, found.get(name) or _read(cluster, namespace, name)
        case Changed(body) if meta_of(body).name in names:
            yield meta_of(body).name, job_state(body)
        case Gone(body) if meta_of(body).name in names:
            # Deleted, or ended: an ended job leaves the selection of the watch.
            yield meta_of(body).name, _read(cluster, namespace, meta_of(body).name)
        case Trouble(message):
            note(f"{message} Trying again.")
        case Recovered():
            note("The API server is back.")
        case Ended(error):
            raise error
        case _:
            pass


def _read(cluster: Cluster, namespace: str, name: str) -> JobState | None:
    try:
        return job_state(cluster.get(paths.job(namespace, name)))
    except NotFoundError:
        return None
