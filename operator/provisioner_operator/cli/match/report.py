"""Print which daemons would run a job with given tags, by the same rules as the operator's."""

import sys
from collections.abc import Iterable, Iterator, Sequence

import orjson
from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.table import lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.fit_table import columns
from provisioner_operator.core.model.matching import Demand, effective_tags, format_tags, satisfies
from provisioner_operator.core.views.fit import Fit, fits
from provisioner_operator.core.views.near_miss import near_misses
from provisioner_operator.core.views.snapshot import Snapshot


def print_match(session: Session, tags: Iterable[tuple[str, str]], provisioner: Provisioner, *, as_json: bool) -> Exit:
    """Print the daemons and the predicted outcome; exit code 5 if the job would wait."""
    demand = Demand(session.namespace, provisioner, effective_tags(dict(tags)))
    snapshot = loading.snapshot(session.cluster, session.namespace, session.terminal.note)
    found = fits(demand, snapshot)
    if as_json:
        document = match_document(demand, snapshot, found)
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        for line in describe_match(demand, snapshot):
            session.terminal.out.print(line)
        if found:
            session.terminal.out.print()
            session.terminal.show(lines(columns(), found, width=session.terminal.width))
    return Exit.OK if snapshot.explain(demand) is None else Exit.PRECONDITION


def match_document(demand: Demand, snapshot: Snapshot, found: Sequence[Fit]) -> dict[str, object]:
    """Return the prediction as a JSON document."""
    explanation = snapshot.explain(demand)
    return {
        "tags": dict(sorted(demand.tags)),
        "provisioner": demand.provisioner,
        "startsNow": explanation is None,
        "reason": explanation.reason if explanation else None,
        "message": explanation.message if explanation else None,
        "details": explanation.details or None if explanation else None,
        "nearest": [each.sentence for each in near_misses(demand, snapshot)],
        "waiting": len(snapshot.queues.get(demand, ())),
        "daemons": [
            {
                "name": fit.daemon,
                "matches": fit.matches,
                "state": fit.state,
                "lacks": fit.lacks,
                "hasTooMany": fit.has_too_many,
            }
            for fit in found
        ],
    }


def describe_match(demand: Demand, snapshot: Snapshot) -> Iterator[Text]:
    """Yield the prediction in lines of text."""
    job = f"a job for provisioner {demand.provisioner} with tags {format_tags(demand.tags)} in namespace {demand.namespace}"
    explanation = snapshot.explain(demand)
    if explanation is None:
        ready = [
            each.daemon.name
            for each in snapshot.candidates(demand.namespace)
            if each.open and each.free and satisfies(each.daemon.supply, demand)
        ]
        yield Text.assemble(("It would start now", "green"), f": {job}. Free daemons: {', '.join(sorted(ready))}.")
    else:
        yield Text.assemble(("It would wait", "yellow"), f": {job}.")
        yield Text.assemble((explanation.reason, "bold"), f": {explanation.message} {explanation.details}".rstrip())
        yield from (Text(f"  {each.sentence}") for each in near_misses(demand, snapshot))
    if waiting := len(snapshot.queues.get(demand, ())):
        yield Text(f"Already waiting with the same tags and provisioner: {counted(waiting, 'job')}.")
