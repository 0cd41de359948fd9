"""The cluster, the namespace and the terminal of one command, each created when it is first needed."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from provisioner_operator.cli.api.kubeconfig import Access, Choice, find_access

if TYPE_CHECKING:
    from provisioner_operator.cli.api.client import Cluster
    from provisioner_operator.cli.output.terminal import Terminal


@dataclass
class Session:
    """The environment of one command: passed to it as its first argument by `options.with_session`."""

    choice: Choice = field(default_factory=Choice)
    all_namespaces: bool = False
    request_timeout: float = 10.0
    utc: bool = True

    @cached_property
    def access(self) -> Access:
        """The chosen cluster and user. Raises UsageError."""
        return find_access(self.choice, os.environ)

    @cached_property
    def cluster(self) -> "Cluster":
        """The client of the API server. Raises UsageError."""
        from provisioner_operator.cli.api.client import Cluster  # noqa: PLC0415 - HTTP takes a tenth of a second to import

        return Cluster(self.access, timeout=self.request_timeout)

    @cached_property
    def terminal(self) -> "Terminal":
        """Standard output and standard error."""
        from provisioner_operator.cli.output.terminal import Terminal  # noqa: PLC0415 - not needed for machine output

        return Terminal(utc=self.utc)

    @property
    def namespace(self) -> str:
        """The namespace of a command that works in exactly one."""
        return self.access.namespace

    @property
    def scope(self) -> str | None:
        """The namespace to list; None for all namespaces."""
        return None if self.all_namespaces else self.namespace
