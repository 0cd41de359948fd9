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
"""Cobra's word for: do not complete names of files."""


def main() -> None:
    """Run one command and end the process with its exit code."""
    # What a short command imports and reads stays to its end: looking for what could be freed takes a fifth of its time.
    # Who goes on for long turns it on again (`feed`).
    gc.disable()
    name = Path(sys.argv[0]).name
    is_plugin = name.startswith("kubectl")
    variable = f"_{name.upper().replace('-', '_')}_COMPLETE"
    program = "kubectl provisioner" if is_plugin else "provisioner"
    _end(run(sys.argv[1:], program=program, variable=variable))


def complete() -> None:
    """What kubectl runs as `kubectl_complete-provisioner` for words of `kubectl provisioner`: it prints their completions."""
    from click.shell_completion import ShellComplete  # noqa: PLC0415 - only here

    *words, incomplete = sys.argv[1:] or [""]
    for item in ShellComplete(app, {}, "provisioner", "").get_completions(words, incomplete):
        click.echo(f"{item.value}\t{item.help}" if item.help else str(item.value))
    click.echo(f":{_NO_FILES}")


def run(arguments: Sequence[str], *, program: str = "provisioner", variable: str = "_PROVISIONER_COMPLETE") -> int:
    """Run one command; no error reaches the caller, nor its traceback the user unless it is asked for.

    Args:
        arguments: The command line without the program.
        program: How the user calls it.
        variable: The one by which a shell asks for completions.
    """
    debug = _DEBUG_FLAG in arguments or bool(os.environ.get(DEBUG_VARIABLE))
    try:
        # Nested commands inherit nothing: taken out here, the flag may stand anywhere.
        given = [argument for argument in arguments if argument != _DEBUG_FLAG]
        code = app.main(given, prog_name=program, complete_var=variable, standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - a user is told in a sentence, whatever it is
        return _told(error, debug=debug)
    except KeyboardInterrupt:
        click.echo("", err=True)
        return Exit.INTERRUPTED
    return code if isinstance(code, int) else Exit.OK


def _end(code: int) -> NoReturn:
    """End the process. Threads that are in the middle of a read are left to it: Python's own end may wait for them for ever."""
    if threading.active_count() > 1:
        atexit._run_exitfuncs()  # noqa: SLF001 - what removes this process's keys
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _told(error: Exception, *, debug: bool) -> int:
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
            # Whoever read the output has seen enough. Python would complain at its end about what is left to be written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = Exit.OK
        case _:
            said = f"Something went wrong that this program did not expect: {type(error).__name__}: {error}"
            code = _fail(f"{said}\nRun it with {_DEBUG_FLAG} to see where, and report it.", Exit.FAILED, debug=debug)
    return code


def _fail(message: str, code: Exit, *, debug: bool) -> Exit:
    if debug:
        traceback.print_exc()
    printable = "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in message)
    click.echo(f"Error: {printable}", err=True)
    return code


if __name__ == "__main__":
    main()
