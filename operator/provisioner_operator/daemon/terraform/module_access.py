"""Give `init` the logins at the hosts of private modules and registries, and take them away again when it has ended.

Terraform fetches modules in three ways, and each takes its login elsewhere:
- a registry, of modules or providers: a variable `TF_TOKEN_HOST`;
- git over https: a credential helper of git, which reads a file;
- archives over https: a file in the format of .netrc.

Only `init` has the variables, and the files exist only while it runs, in a folder of the run's directory; no provider runs then.
Both kinds name the port of their host, so no login reaches another server. Used by `provisioner`.
"""

import shlex
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from provisioner_operator.daemon.execution.provisioner import Keep, Stage, Wait
from provisioner_operator.daemon.inputs.logins import HostLogin
from provisioner_operator.daemon.terraform.provider_cache import RunCache

FOLDER = ".provisioner-logins"
"""Folder of the run's directory; not one of a source, whose own is removed."""
_NETRC = "netrc"
_COUNT = "GIT_CONFIG_COUNT"


@dataclass(frozen=True, slots=True)
class ModuleAccess:
    """The logins of one run."""

    directory: Path
    """The run's own directory."""
    logins: Sequence[HostLogin] = field(default=(), repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values to mask."""
        tokens = [each.login.token for each in self.logins if each.login.token]
        return (*tokens, *(value for each in self.logins for value in each.login.credentials.hidden))

    def settings(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return the variables to add to this environment of `init`."""
        if not self.logins:
            return {}
        tokens = {token_variable(each.host): each.login.token for each in self.logins if each.login.token}
        return {**tokens, "NETRC": str(self._folder / _NETRC), **self._git_settings(environment)}

    def write(self) -> None:
        """Write the files."""
        self.remove()
        self._folder.mkdir(mode=0o700)
        machines = []
        for number, each in enumerate(self.logins):
            given = each.login.credentials
            self._write_file(str(number), f"username={given.username}\npassword={given.password}\n")
            machines.append(f"machine {each.host}\nlogin {given.username}\npassword {given.password}\n")
        self._write_file(_NETRC, "".join(machines))

    def remove(self) -> None:
        """Remove the files."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _folder(self) -> Path:
        return self.directory / FOLDER

    def _write_file(self, name: str, text: str) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(text)

    def _git_settings(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Add to the settings of git that the environment has, which are in numbered variables."""
        settings: list[tuple[str, str]] = []
        for number, each in enumerate(self.logins):
            name = f"credential.https://{each.host}.helper"
            file = shlex.quote(str(self._folder / str(number)))
            # Emptied first: a helper of the daemon's git configuration would be asked before. A function, because git appends
            # what it wants to know; whichever username the module's URL has, the file's is used.
            settings += [(name, ""), (name, f"!f() {{ cat {file}; }}; f")]
        found = environment.get(_COUNT, "")
        first = int(found) if found.isdecimal() else 0
        named = {_COUNT: str(first + len(settings))}
        for number, (name, value) in enumerate(settings, first):
            named |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return named


def token_variable(host: str) -> str:
    """Return the variable in which Terraform looks for the token of a host; its port stays as it is."""
    return "TF_TOKEN_" + host.replace("-", "__").replace(".", "_")


def git_environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that make git trust what Terraform trusts, and ask nobody for a password."""
    prompt = {"GIT_TERMINAL_PROMPT": "0"}
    authorities = environment.get("SSL_CERT_FILE")
    return {"GIT_SSL_CAINFO": authorities, **prompt} if authorities else prompt


def init_stage(stage: Stage, environment: Mapping[str, str], cache: RunCache | None, modules: ModuleAccess) -> Stage:
    """Return the stage `init` with the run's providers and its logins, which no other stage gets."""
    settings = {} if cache is None else cache.settings()

    @asynccontextmanager
    async def around(wait: Wait) -> AsyncIterator[Keep]:
        async with AsyncExitStack() as stack:
            keep = _keep_nothing if cache is None else await stack.enter_async_context(cache.during_init(wait))
            if modules.logins:
                stack.callback(modules.remove)
                modules.write()
            yield keep

    if cache is None and not modules.logins:
        return stage
    return replace(stage, environment={**environment, **settings, **modules.settings(environment)}, around=around)


async def _keep_nothing() -> None:
    pass
