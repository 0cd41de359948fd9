"""Entry point of `provisioner-devcluster` and of `python -m provisioner_devcluster`."""

from __future__ import annotations

import sys

from provisioner_devcluster.cli import cli
from provisioner_devcluster.errors import DevClusterError


def main() -> None:
    """Run the command line; report an error that a user can act on as a message and exit code 1."""
    try:
        cli(prog_name="provisioner-devcluster")
    except DevClusterError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
