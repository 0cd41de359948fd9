"""Print findings, for people or programs, and derive the exit code from them."""

import sys
from collections.abc import Iterable

import orjson
from rich.text import Text

from provisioner_operator.cli.doctor.checks import Finding, Level
from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.session import Session

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red", Level.UNKNOWN: "dim"}
_MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.ERROR: "✗", Level.UNKNOWN: "?"}


def report(session: Session, findings: Iterable[Finding], *, as_json: bool) -> Exit:
    """Print all findings; exit code 1 if one is an error."""
    found = list(findings)
    if as_json:
        documents = [
            {"check": each.check, "level": each.level, "message": each.message, "remedy": each.remedy or None}
            for each in found
        ]
        sys.stdout.write(orjson.dumps(documents, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        for each in found:
            mark = Text.assemble((_MARKS[each.level], _STYLES[each.level]), " ", (f"{each.check}: ", "bold"))
            session.terminal.out.print(mark + Text(each.message))
            if each.remedy:
                session.terminal.out.print(Text(f"    {each.remedy}", "dim"))
    return Exit.FAILED if any(each.level is Level.ERROR for each in found) else Exit.OK
