"""The store of providers, and the runs' own caches, without Terraform."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from provisioner_operator.daemon.terraform import provider_cache
from provisioner_operator.daemon.terraform.provider_cache import (
    LOCK_FILE,
    PRIVATE,
    WITHOUT_LOCK_FILE_VARIABLE,
    ProviderStore,
    RunCache,
)

ABANDONED_SECONDS = 3600.0

TINY = Path("registry.example.com/acme/tiny/1.0.0/linux_amd64")
OWN = "provisioner_backend_override.tf.json"


def a_package(parent: Path, content: str = "program", name: Path = TINY) -> Path:
    package = parent / name
    (package / "docs").mkdir(parents=True)
    (package / "terraform-provider-tiny").write_text(content)
    (package / "terraform-provider-tiny").chmod(0o755)
    (package / "docs" / "README").write_text("read me")
    return package


def a_store(tmp_path: Path, **options: int) -> ProviderStore:
    store = ProviderStore(tmp_path / "providers", **options)
    store.open()
    return store


def offered(store: ProviderStore, target: Path, lock_text: str | None = None) -> list[str]:
    store.take(target, lock_text)
    return [path.relative_to(target).as_posix() for path in target.glob("*/*/*/*/*")]


async def patient(line: str) -> bool:
    del line
    return True


class Stop:
    """Ends a wait as soon as it begins."""

    def __init__(self) -> None:
        self.waits = 0

    async def __call__(self, line: str) -> bool:
        del line
        self.waits += 1
        return False


def version(number: int) -> Path:
    return TINY.parent.parent / f"{number}.0.0" / TINY.name


def test_an_entry_is_linked_and_read_only(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    package = a_package(tmp_path)
    store.add(TINY, package)
    assert offered(store, tmp_path / "run") == [TINY.as_posix()]
    program = tmp_path / "run" / TINY / "terraform-provider-tiny"
    assert program.stat().st_ino == (package / "terraform-provider-tiny").stat().st_ino
    assert program.stat().st_mode & 0o777 == 0o555
    assert (tmp_path / "run" / TINY / "docs" / "README").read_text() == "read me"


def test_with_a_lock_file_only_what_it_lists_is_given(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.add(TINY, a_package(tmp_path))
    listed = (tmp_path / "providers" / "packages" / TINY / "h1").read_text()
    assert offered(store, tmp_path / "a", f'hashes = ["zh:00", "{listed}"]') == [TINY.as_posix()]
    assert offered(store, tmp_path / "b", 'hashes = ["zh:00"]') == []


def test_the_directory_is_made_and_nobody_else_may_enter(tmp_path: Path) -> None:
    store = ProviderStore(tmp_path / "not" / "there")
    store.open()
    assert (tmp_path / "not" / "there" / "packages").stat().st_mode & 0o777 == 0o700


def test_a_directory_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "providers").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "providers" / "packages").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="belongs to another user"):
        a_store(tmp_path)


def test_a_daemon_that_is_killed_while_it_keeps_a_provider_leaves_no_entry(tmp_path: Path) -> None:
    package = a_package(tmp_path)
    script = f"""
import os, signal
from pathlib import Path
from provisioner_operator.daemon.terraform import provider_cache
provider_cache._seal = lambda package: os.kill(os.getpid(), signal.SIGKILL)
store = provider_cache.ProviderStore(Path({str(tmp_path / "providers")!r}))
store.open()
store.add(Path({str(TINY)!r}), Path({str(package)!r}))
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -signal.SIGKILL
    store = a_store(tmp_path)
    (abandoned,) = (tmp_path / "providers" / ".new").iterdir()
    assert offered(store, tmp_path / "a") == []
    before = abandoned.stat().st_mtime - ABANDONED_SECONDS - 1
    os.utime(abandoned, (before, before))
    store.add(TINY, package)
    assert offered(store, tmp_path / "b") == [TINY.as_posix()]
    assert list((tmp_path / "providers" / ".new").iterdir()) == []


def test_what_was_not_used_for_the_longest_time_makes_room(tmp_path: Path) -> None:
    store = a_store(tmp_path, largest=400)
    entries = tmp_path / "providers" / "packages"
    for number in (1, 2):
        store.add(version(number), a_package(tmp_path / "made", "x" * 100, version(number)))
        os.utime(entries / version(number) / "h1", (number, number))
    store.add(version(1), tmp_path / "made" / version(1))
    store.add(version(3), a_package(tmp_path / "made", "x" * 100, version(3)))
    assert sorted(offered(store, tmp_path / "run")) == [str(version(1)), str(version(3))]
    store.add(version(4), a_package(tmp_path / "made", "x" * 400, version(4)))
    assert sorted(offered(store, tmp_path / "later")) == [str(version(1)), str(version(3))]


def test_of_two_that_keep_the_same_the_first_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(tmp_path)
    seal = provider_cache._seal  # noqa: SLF001 - the moment between two writes

    def overtaken(package: Path) -> str:
        monkeypatch.setattr(provider_cache, "_seal", seal)
        store.add(TINY, a_package(tmp_path / "first", "first"))
        return seal(package)

    monkeypatch.setattr(provider_cache, "_seal", overtaken)
    store.add(TINY, a_package(tmp_path / "second", "second"))
    store.take(tmp_path / "run", None)
    assert (tmp_path / "run" / TINY / "terraform-provider-tiny").read_text() == "first"
    assert list((tmp_path / "providers" / ".new").iterdir()) == []


class Init:
    """Runs' stages `init`, one directory each."""

    def __init__(self, tmp_path: Path, store: ProviderStore) -> None:
        self.parent = tmp_path
        self.store = store

    def cache(self, name: str, code: str = "# tiny") -> RunCache:
        directory = self.parent / name
        directory.mkdir()
        (directory / "main.tf").write_text(code)
        (directory / OWN).write_text(name)
        return RunCache(self.store, directory, directory, (OWN,))

    async def run(
        self, cache: RunCache, *, succeeds: bool = True, wait: Callable[[str], Awaitable[bool]] = patient
    ) -> bool:
        """Do as `init` does; return whether it had to fetch."""
        async with cache.during_init(wait) as keep:
            fetched = not (cache.path / TINY).exists()
            await asyncio.sleep(0.01)
            if fetched:
                a_package(cache.path)
            installed = cache.path.parent / ".terraform" / "providers" / TINY
            installed.parent.mkdir(parents=True)
            installed.symlink_to(cache.path / TINY)
            if succeeds:
                await keep()
        return fetched


def test_a_hundred_runs_of_a_template_fetch_once(tmp_path: Path) -> None:
    init = Init(tmp_path, a_store(tmp_path))

    async def run_all() -> list[bool]:
        return await asyncio.gather(*(init.run(init.cache(f"run-{number}")) for number in range(100)))

    assert asyncio.run(run_all()).count(True) == 1


def test_the_next_fetches_if_an_init_fails(tmp_path: Path) -> None:
    init = Init(tmp_path, a_store(tmp_path))

    async def fail_first() -> list[bool]:
        async with init.cache("fails").during_init(patient):
            others = asyncio.gather(*(init.run(init.cache(f"run-{number}")) for number in range(3)))
            await asyncio.sleep(0.05)
        return await others

    assert asyncio.run(fail_first()).count(True) == 1


def test_a_further_try_begins_without_what_the_one_before_left(tmp_path: Path) -> None:
    cache = Init(tmp_path, a_store(tmp_path)).cache("run")

    async def try_twice() -> bool:
        async with cache.during_init(patient):
            a_package(cache.path)
        async with cache.during_init(patient):
            return (cache.path / TINY).exists()

    assert not asyncio.run(try_twice())


def test_an_init_that_hangs_or_a_stop_ends_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init = Init(tmp_path, a_store(tmp_path))
    stop = Stop()

    async def pass_one_that_hangs() -> None:
        async with init.cache("hangs").during_init(patient):
            assert await init.run(init.cache("stopped"), wait=stop)
            monkeypatch.setattr(provider_cache, "LONGEST_WAIT_SECONDS", 0.0)
            await init.run(init.cache("other", "# other"))

    asyncio.run(pass_one_that_hangs())
    assert stop.waits == 1


@pytest.mark.parametrize("code", ["# tiny", "# changed"])
def test_only_code_that_was_never_initialized_waits(tmp_path: Path, code: str) -> None:
    init = Init(tmp_path, a_store(tmp_path))
    stop = Stop()

    async def pass_another() -> None:
        await init.run(init.cache("first"))
        async with init.cache("other", "# other").during_init(patient):
            await init.run(init.cache("second", code), wait=stop)

    asyncio.run(pass_another())
    assert stop.waits == (code == "# changed")


def test_providers_of_a_mirror_on_the_machine_are_not_kept(tmp_path: Path) -> None:
    init = Init(tmp_path, a_store(tmp_path))
    cache = init.cache("run")
    package = a_package(tmp_path / "mirror")

    async def link() -> None:
        async with cache.during_init(patient) as keep:
            for link in (cache.path / TINY, tmp_path / "run" / ".terraform" / "providers" / TINY):
                link.parent.mkdir(parents=True)
                link.symlink_to(package)
            await keep()

    asyncio.run(link())
    assert offered(init.store, tmp_path / "later") == []


def test_a_store_that_cannot_be_used_costs_a_run_no_more_than_a_download(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no directory")
    init = Init(tmp_path, ProviderStore(tmp_path / "file"))
    assert asyncio.run(init.run(init.cache("run")))
    assert "cannot be used" in caplog.text


def test_a_provider_that_cannot_be_read_or_kept_is_fetched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    init = Init(tmp_path, a_store(tmp_path))
    asyncio.run(init.run(init.cache("first")))
    (tmp_path / "providers" / "packages" / TINY / "package" / "odd").symlink_to("/etc")
    assert asyncio.run(init.run(init.cache("second")))
    assert "only consist of files and folders" in caplog.text


def test_only_a_template_without_a_lock_file_skips_its_check(tmp_path: Path) -> None:
    cache = Init(tmp_path, a_store(tmp_path)).cache("run")
    assert cache.settings() == {WITHOUT_LOCK_FILE_VARIABLE: "1"}
    (tmp_path / "run" / LOCK_FILE).touch()
    assert cache.settings() == {}
    assert cache.path == tmp_path / "run" / PRIVATE


def test_a_lock_file_that_is_a_link_lists_nothing(tmp_path: Path) -> None:
    init = Init(tmp_path, a_store(tmp_path))
    asyncio.run(init.run(init.cache("first")))
    cache = init.cache("run")
    (tmp_path / "run" / LOCK_FILE).symlink_to(tmp_path / "providers" / "packages" / TINY / "h1")
    assert cache.settings() == {}
    assert asyncio.run(init.run(cache)), "it is not read, so that the run fetches"
