"""A process that writes by an OutputWriter ends although nobody reads what it wrote."""

import subprocess
import sys

PROGRAM = """
from provisioner_operator.daemon.logs.output_writer import OutputWriter

writer = OutputWriter()
for _ in range(100):
    writer.offer(b"x" * 9999 + b"\\n")
writer.flush(0.1)
"""
"""Writes more than a pipe holds."""


def test_lines_that_nobody_reads_do_not_keep_the_process_from_its_end() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
        try:
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
