"""Start the console script `provisioner-daemon`, below an init if it is the first process of a container."""

from provisioner_operator.daemon.container_init import become_init_if_first


def main() -> None:
    """Run the command line."""
    # Before the import of all the rest, which the first process does not need: it is to stay small.
    become_init_if_first()
    from provisioner_operator.daemon.__main__ import main as command_line  # noqa: PLC0415

    command_line()
