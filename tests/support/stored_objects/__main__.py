"""`python -m support.stored_objects v1.2.3`: write the snapshot of a version from this checkout, before its release."""

import sys

from support.manifests import CRDS
from support.stored_objects.examples import examples
from support.stored_objects.snapshot import SNAPSHOTS, write


def main() -> None:
    """Write the snapshot, unless there is one: what was released does not change."""
    (version,) = sys.argv[1:]
    folder = SNAPSHOTS / version
    if folder.exists():
        sys.exit(f"{folder} exists, and what was released does not change. Name another version.")
    write(folder, CRDS, examples())
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    main()
