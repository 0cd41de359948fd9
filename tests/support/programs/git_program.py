"""The program `git`, which Terraform runs to fetch modules."""

import os
import shutil

import pytest


def require_git() -> None:
    """Skip the test where there is no git, or fail it where all tests have to run."""
    if shutil.which("git") is not None:
        return
    reason = "git is not on the PATH, and Terraform needs it to fetch modules: install it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
