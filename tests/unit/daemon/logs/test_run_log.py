"""The lines of a run on their way to the archive and the console."""

import asyncio
import random
import string

from provisioner_operator.daemon.logs.redaction import MASK
from provisioner_operator.daemon.logs.run_log import RunLog
from unit.daemon.builders import RememberingConsole

LONGEST_LINE = 8 * 1024
LONGEST_INLINE = 4096

ALPHABET = string.ascii_letters + string.digits + "+/"
MEBIBYTE = 1024 * 1024


def test_secrets_are_masked_before_a_line_is_cut() -> None:
    console = RememberingConsole()
    log = RunLog("acme", "dev-7", console)
    log.redact.learn(["hunter2hunter2"])
    line = "x" * (LONGEST_LINE - 4) + "hunter2hunter2"
    assert len(line) > LONGEST_INLINE
    asyncio.run(log.write("apply", [line, "short hunter2hunter2"]))
    assert "hunt" not in "".join(console.lines) + log.kept.text()
    assert console.lines[-1] == f"acme/dev-7 apply: short {MASK}"


def test_a_long_line_and_many_secrets_hold_up_nothing_else() -> None:
    numbers = random.Random(1)
    log = RunLog("acme", "dev-7", RememberingConsole())
    log.redact.learn(["\n".join("".join(numbers.choices(ALPHABET, k=64)) for _ in range(600))])
    line = "".join(numbers.choices(ALPHABET, k=MEBIBYTE))

    async def turns_meanwhile() -> int:
        turns = 0
        writing = asyncio.create_task(log.write("apply", [line]))
        while not writing.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    # On the event loop itself, there would be one turn or two.
    assert asyncio.run(turns_meanwhile()) > 10
