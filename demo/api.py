"""`api METHOD PATH [JSON]`: sends a request to the web server as the user whose token is in CODER_SESSION_TOKEN.

For the demo, since not every machine has curl, which does the same:
`curl -X METHOD -H "Coder-Session-Token: $CODER_SESSION_TOKEN" "$CODER_URL/PATH"`.
"""

from __future__ import annotations

import http.client
import os
import sys
from http import HTTPStatus
from urllib.parse import urlsplit

TIMEOUT = 30.0


def main() -> int:
    """Print the answer; return 1 if it is a refusal."""
    method, path, *body = sys.argv[1:]
    server = urlsplit(os.environ["CODER_URL"])
    connection = http.client.HTTPConnection(server.netloc, timeout=TIMEOUT)
    headers = {"Coder-Session-Token": os.environ["CODER_SESSION_TOKEN"], "Content-Type": "application/json"}
    connection.request(method, path, body[0] if body else None, headers)
    answer = connection.getresponse()
    print(answer.read().decode())  # noqa: T201 - a command's output
    return 0 if answer.status < HTTPStatus.BAD_REQUEST else 1


if __name__ == "__main__":
    sys.exit(main())
