"""What the commands of a run get of the daemon's environment. Used by the provisioners; all else stays with the daemon."""

import os
from collections.abc import Sequence

LOCALE = ("PATH", "LANG", "LC_ALL", "TZ")
NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)


def passed_on(*names: Sequence[str]) -> dict[str, str]:
    """Those of the variables that the daemon has."""
    return {name: os.environ[name] for group in names for name in group if name in os.environ}
