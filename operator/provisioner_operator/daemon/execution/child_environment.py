"""Select the variables of the daemon's environment that a run's commands inherit. Used by the provisioners.

All others stay with the daemon, unless it was told to pass them on (`core.daemons.run_environment`): they may hold its own
credentials.
"""

import os
from collections.abc import Sequence

LOCALE = ("PATH", "LANG", "LC_ALL", "TZ")
NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)


def passed_on(*names: Sequence[str]) -> dict[str, str]:
    """Return those of the named variables that the daemon has."""
    return {name: os.environ[name] for group in names for name in group if name in os.environ}
