"""The end of the program that fetches, in the words of its job."""

import pytest

from provisioner_operator.daemon.git.request import COMMIT_PREFIX, FAILED, GitRequest
from provisioner_operator.daemon.git.stage import FetchReader

READ = "Read the last lines of its log, then submit the job again."


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        (FAILED, "There is no such branch.", "There is no such branch."),
        (FAILED, "", f"exited with code {FAILED}. {READ}"),
        (3, "Traceback", f"exited with code 3. {READ}"),
        (128, "Traceback", f"exited with code 128. {READ}"),
        (137, "", f"was killed by signal 9, perhaps by a memory limit. {READ}"),
        # It said nothing of a commit.
        (0, "", f"exited with code 0. {READ}"),
    ],
)
def test_a_fetch_that_failed_says_why(code: int, error: str, said: str) -> None:
    reader = FetchReader(GitRequest("https://git.example.org/a"))
    reader.read("stdout", "starting")
    if error:
        reader.read("stderr", error)
    failure = reader.failure(code)
    assert failure is not None
    assert failure.message.endswith(said)


def test_a_fetch_that_succeeded_names_its_commit() -> None:
    reader = FetchReader(GitRequest("https://git.example.org/a"))
    line = f"{COMMIT_PREFIX}{'a' * 40}"
    assert reader.read("stdout", line) == (line,)
    assert reader.commit == "a" * 40
    assert reader.failure(0) is None
