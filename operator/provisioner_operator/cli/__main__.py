"""The console scripts `provisioner` and `kubectl-provisioner`, which kubectl runs as `kubectl provisioner`."""

import atexit
import gc
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from provisioner_operator.cli.app import app
from provisioner_operator.cli.errors import CliError, Exit

DEBUG_VARIABLE = "PROVISIONER_DEBUG"
_DEBUG_FLAG = "--debug"
_NO_FILES = 4
"""Cobra's directive not to complete file names."""


def main() -> None:
    """Run one command and end the process with its exit code."""
    # A short command needs everything that it imports and reads until its end: collecting garbage would take a fifth of
    # its time. Commands that run for long turn it on again (`watch_feed`).
    gc.disable()
    name = Path(sys.argv[0]).name
    is_plugin = name.startswith("kubectl")
    variable = f"_{name.upper().replace('-', '_')}_COMPLETE"
    program = "kubectl provisioner" if is_plugin else "provisioner"
    _end(run(sys.argv[1:], program=program, variable=variable))


def complete() -> None:
    """Print completions: kubectl runs this as `kubectl_complete-provisioner` with the words of `kubectl provisioner`."""
    from click.shell_completion import ShellComplete  # noqa: PLC0415 - only here

    *words, incomplete = sys.argv[1:] or [""]
    for item in ShellComplete(app, {}, "provisioner", "").get_completions(words, incomplete):
        click.echo(f"{item.value}\t{item.help}" if item.help else str(item.value))
    click.echo(f":{_NO_FILES}")


def run(arguments: Sequence[str], *, program: str = "provisioner", variable: str = "_PROVISIONER_COMPLETE") -> int:
    """Run one command and return its exit code; every error becomes a message, with a traceback only on request.

    Args:
        arguments: The command line without the program.
        program: The name of the program for help texts.
        variable: The environment variable through which a shell requests completions.
    """
    debug = _DEBUG_FLAG in arguments or bool(os.environ.get(DEBUG_VARIABLE))
    try:
        # Removed here because nested commands inherit no options: so the flag may stand anywhere.
        given = [argument for argument in arguments if argument != _DEBUG_FLAG]
        code = app.main(given, prog_name=program, complete_var=variable, standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - every error becomes a message
        return _report(error, debug=debug)
    except KeyboardInterrupt:
        click.echo("", err=True)
        return Exit.INTERRUPTED
    return code if isinstance(code, int) else Exit.OK


def _end(code: int) -> NoReturn:
    """End the process without joining threads that are blocked in a read: Python's own exit may wait for them forever."""
    if threading.active_count() > 1:
        atexit._run_exitfuncs()  # noqa: SLF001 - removes this process's key files
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _report(error: Exception, *, debug: bool) -> int:
    match error:
        case CliError():
            code = _fail(str(error), error.code, debug=debug)
        case click.UsageError():
            error.show()
            code = Exit.USAGE
        case click.ClickException():
            code = _fail(error.format_message(), Exit.FAILED, debug=debug)
        case click.Abort():
            click.echo("", err=True)
            code = Exit.INTERRUPTED
        case BrokenPipeError():
            # The reader of the output has closed it. Otherwise Python would complain about unwritten output when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = Exit.OK
        case _:
            message = f"Unexpected error, probably a bug of this program: {type(error).__name__}: {error}"
            hint = f"Run the command again with {_DEBUG_FLAG} for a traceback, and report it."
            code = _fail(f"{message}\n{hint}", Exit.FAILED, debug=debug)
    return code


def _fail(message: str, code: Exit, *, debug: bool) -> Exit:
    if debug:
        traceback.print_exc()
    printable = "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in message)
    click.echo(f"Error: {printable}", err=True)
    return code


if __name__ == "__main__":
    main()
