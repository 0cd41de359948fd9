"""Do something to several objects one by one, and report the outcome of each."""

from collections.abc import Callable, Iterable

from provisioner_operator.cli.errors import CliError, Exit, NothingToDoError
from provisioner_operator.cli.output.terminal import Terminal


def for_each(terminal: Terminal, names: Iterable[str], act: Callable[[str], str]) -> dict[str, Exit]:
    """Act on each name once, print its outcome, and return the exit codes by name.

    `act` returns the outcome in words, or raises NothingToDoError or CliError: a failure does not stop the others.
    """
    codes: dict[str, Exit] = {}
    for name in dict.fromkeys(names):
        try:
            terminal.say(f"{name}: {act(name)}")
            codes[name] = Exit.OK
        except NothingToDoError as nothing:
            terminal.say(f"{name}: {nothing}")
            codes[name] = Exit.OK
        except CliError as error:
            terminal.note(f"{name}: {error}")
            codes[name] = error.code
    return codes
