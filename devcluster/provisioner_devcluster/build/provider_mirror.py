"""Coder's Terraform provider, built from its Go module into a mirror that OpenTofu and Terraform install from.

Called by tests of templates that use it, and by `prepare --coder-provider`. The product never needs it: a daemon gets
providers as its own CLI configuration says.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from provisioner_devcluster.build.architecture import go_architecture
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import CODER_PROVIDER, CODER_PROVIDER_VERSION
from provisioner_devcluster.locations import cache_directory

# Terraform resolves `coder/coder` to the first, OpenTofu to the second.
ADDRESSES = ("registry.terraform.io/coder/coder", "registry.opentofu.org/coder/coder")


def coder_provider_configuration() -> str:
    """Return a CLI configuration (for `TF_CLI_CONFIG_FILE`) that installs Coder's provider from the mirror.

    Builds the mirror if necessary. All other providers come from their registries, as by default.
    """
    addresses = ", ".join(f'"{address}"' for address in ADDRESSES)
    return f"""provider_installation {{
  filesystem_mirror {{
    path    = "{find_coder_mirror()}"
    include = [{addresses}]
  }}
  direct {{
    exclude = [{addresses}]
  }}
}}
"""


def find_coder_mirror() -> Path:
    """Return the mirror's directory, and create it if necessary."""
    mirror = cache_directory() / "mirrors" / f"{CODER_PROVIDER.name}-{CODER_PROVIDER.key}"
    if not mirror.exists():
        program = build(CODER_PROVIDER)
        mirror.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{mirror}.lock"):
            if not mirror.exists():
                _lay_out(program, mirror)
    return mirror


def _lay_out(program: Path, mirror: Path) -> None:
    with tempfile.TemporaryDirectory(dir=mirror.parent, prefix=f".{mirror.name}-") as scratch:
        staged = Path(scratch) / "mirror"
        for address in ADDRESSES:
            package = staged / address / CODER_PROVIDER_VERSION / f"{sys.platform}_{go_architecture()}"
            package.mkdir(parents=True)
            os.link(program, package / program.name)
        # The final name appears only when the mirror is complete.
        staged.rename(mirror)
