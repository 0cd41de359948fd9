"""The cluster and the credential that a kubeconfig names, or a Pod has; certificates are shown to a real TLS server."""

import asyncio
import base64
import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner_devcluster.control_plane.certificates import Authority, KeyPair
from provisioner_operator.kube.logins import login as login_module
from provisioner_operator.kube.logins.login import Login, LoginError, Server, find_login, reread

URL = "https://it.example.com"


def write(path: Path, cluster: Any = None, **user: Any) -> Path:
    document = {
        "clusters": [{"name": "it", "cluster": {"server": URL} if cluster is None else cluster}],
        "users": [{"name": "it", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "current-context": "it",
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority("it", tmp_path_factory.mktemp("authority") / "it")


@pytest.fixture(scope="module")
def ada(authority: Authority) -> KeyPair:
    return authority.issue("ada", "ada")


def test_a_token(config: Path) -> None:
    assert find_login(write(config, token="secret"), {}) == Login(Server(URL), "Bearer secret")


def test_a_token_file_goes_before_a_token_and_is_relative_to_the_kubeconfig(config: Path) -> None:
    write(config, token="secret", tokenFile="token")
    (config.parent / "token").touch()
    assert find_login(config, {}) == Login(Server(URL), token_file=config.parent / "token")


def test_a_name_and_a_password(config: Path) -> None:
    assert find_login(write(config, username="ada", password="secret"), {}).authorization == "Basic YWRhOnNlY3JldA=="
    assert find_login(write(config, username="ada"), {}).authorization is None


def test_a_server_that_is_not_verified(config: Path) -> None:
    login = find_login(write(config, {"server": URL, "insecure-skip-tls-verify": True}), {})
    assert login.server.tls().verify_mode is ssl.CERT_NONE
    assert find_login(write(config), {}).server.tls().verify_mode is ssl.CERT_REQUIRED


def test_the_first_of_several_kubeconfigs_wins_and_others_add(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", token="first"), write(tmp_path / "b", token="second")
    assert find_login(None, {"KUBECONFIG": f"{first}:: {second}"}).authorization == "Bearer first"
    alone = {"contexts": [{"name": "mine", "context": {"cluster": "it"}}], "current-context": "mine"}
    third = tmp_path / "c"
    third.write_text(yaml.safe_dump(alone), encoding="utf-8")
    assert find_login(None, {"KUBECONFIG": f"{third}:{second}"}) == Login(Server(URL))


def test_certificates_may_be_wrapped_over_lines(config: Path, ada: KeyPair) -> None:
    lines = base64.encodebytes(ada.certificate.read_bytes()).decode("ascii")
    assert lines.count("\n") > 1
    login = find_login(write(config, {"server": URL, "certificate-authority-data": lines}), {})
    assert login.server.authority == ada.certificate.read_text(encoding="utf-8")


def test_no_secret_shows_in_a_login() -> None:
    assert "secret" not in repr(Login(Server(URL), "Bearer secret", certificate=("chain", "secret key")))


def test_a_credential_plugin_is_used_unless_there_is_something_else(config: Path, ada: KeyPair) -> None:
    plugin = find_login(write(config, exec={"command": "login", "args": ["token"]}), {}).plugin
    assert plugin is not None
    assert plugin.command == ("login", "token")
    assert find_login(write(config, exec={"command": "login"}, token="secret"), {}).plugin is None
    certificate = {"client-certificate": str(ada.certificate), "client-key": str(ada.key)}
    assert find_login(write(config, exec={"command": "login"}, **certificate), {}).plugin is None


def test_a_plugin_beside_the_kubeconfig_is_found_from_everywhere(config: Path) -> None:
    plugin = find_login(write(config, exec={"command": "bin/login"}), {}).plugin
    assert plugin is not None
    assert plugin.command == (str(config.parent / "bin" / "login"),)


def test_files_beside_a_kubeconfig_are_found_after_a_change_of_directory(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(config, tokenFile="token")
    (config.parent / "token").touch()
    monkeypatch.chdir(config.parent)
    assert find_login(Path(config.name), {}).token_file == config.parent / "token"


def test_a_proxy_is_that_of_the_cluster(config: Path) -> None:
    cluster = {"server": URL, "proxy-url": "http://proxy.example.com:3128"}
    assert find_login(write(config, cluster), {}).server.proxy == "http://proxy.example.com:3128"


def test_a_user_is_read_again_by_name_and_for_the_same_server(config: Path) -> None:
    login = find_login(write(config, token="old"), {})
    document = yaml.safe_load(write(config, {"server": "https://other.example.com"}, token="new").read_text())
    document["users"].insert(0, {"name": "other", "user": {"token": "of somebody else"}})
    document["contexts"][0]["context"]["user"] = "other"
    config.write_text(yaml.safe_dump(document))
    assert reread(login) == Login(Server(URL), "Bearer new")
    config.unlink()
    with pytest.raises(LoginError, match=f"The kubeconfig {config} cannot be read"):
        reread(login)


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({"certificate-authority-data": "not base64!", "server": URL}, {}, "certificate-authority-data is not a file"),
        ({"certificate-authority-data": "LS0t!LS0t", "server": URL}, {}, "certificate-authority-data is not a file"),
        ({"server": URL}, {"client-key-data": "w4Q="}, "client-key-data is not a file in PEM format"),
        ({"certificate-authority": "ca.crt"}, {}, "its cluster has no server"),
        ({"server": URL}, {"tokenFile": "none"}, "there is no token file .*none"),
        ({"server": URL, "insecure-skip-tls-verify": "false"}, {}, "its insecure-skip-tls-verify is 'false'"),
        ("nowhere", {}, "its cluster 'it' is no mapping"),
        ({"server": URL, "proxy-url": "socks5://x"}, {}, "its proxy-url begins neither with http"),
        ({"server": URL}, {"exec": {"args": []}}, "its user has a credential plugin without a command"),
        ({"server": URL}, {"auth-provider": {"name": "oidc"}}, "its user has an auth-provider"),
    ],
    ids=[
        "no base64",
        "not all base64",
        "no ASCII",
        "no server",
        "no token file",
        "no boolean",
        "no mapping",
        "SOCKS",
        "no command",
        "auth-provider",
    ],
)
def test_a_kubeconfig_that_cannot_be_used(cluster: Any, user: dict[str, Any], message: str, config: Path) -> None:
    with pytest.raises(LoginError, match=f"Cannot log in with the kubeconfig {config}: .*{message}"):
        find_login(write(config, cluster, **user), {})


@pytest.mark.parametrize(
    ("lacking", "message"),
    [
        ("current-context", "it chooses no context"),
        ("contexts", "it defines no context 'it'"),
        ("clusters", "it defines no cluster 'it'"),
        ("users", "it defines no user 'it'"),
    ],
)
def test_a_kubeconfig_that_lacks_something(lacking: str, message: str, config: Path) -> None:
    document = yaml.safe_load(write(config, token="secret").read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump({name: each for name, each in document.items() if name != lacking}))
    with pytest.raises(LoginError, match=message):
        find_login(config, {})


@pytest.mark.parametrize("text", ["a: b: c", "[1, 2]", "users: [{user: {}}]"])
def test_a_file_that_is_no_kubeconfig_is_named(text: str, config: Path) -> None:
    config.write_text(text, encoding="utf-8")
    with pytest.raises(LoginError, match=f"kubeconfig.*{config}|{config}.*kubeconfig"):
        find_login(config, {})


def test_an_empty_kubeconfig_chooses_nothing(config: Path) -> None:
    config.touch()
    with pytest.raises(LoginError, match="it chooses no context"):
        find_login(config, {})


def test_a_pod_has_a_token_file_and_an_authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(login_module, "SERVICE_ACCOUNT", tmp_path)
    with pytest.raises(LoginError, match="No cluster given"):
        find_login(None, {})
    (tmp_path / "token").touch()
    (tmp_path / "ca.crt").touch()
    server = Server("https://kubernetes.default.svc", tmp_path / "ca.crt")
    login = find_login(None, {"KUBECONFIG": ""})
    assert login == reread(login) == Login(server, token_file=tmp_path / "token")


@pytest.mark.parametrize("as_data", [False, True], ids=["files", "data"])
def test_certificates_are_those_that_the_server_sees(
    *, as_data: bool, config: Path, authority: Authority, ada: KeyPair
) -> None:
    files = {"certificate-authority": authority.pair.certificate}
    own = {"client-certificate": ada.certificate, "client-key": ada.key}

    def given(paths: dict[str, Path]) -> dict[str, str]:
        if as_data:
            return {f"{name}-data": encoded(path) for name, path in paths.items()}
        return {name: str(path) for name, path in paths.items()}

    login = find_login(write(config, {"server": URL, **given(files)}, **given(own)), {})
    assert asyncio.run(asyncio.wait_for(seen_by_a_server(authority, login.server.tls(login.certificate)), 30)) == "ada"
    # What users' sessions are made of identifies nobody.
    assert asyncio.run(asyncio.wait_for(seen_by_a_server(authority, login.server.tls()), 30)) is None


@pytest.mark.parametrize("part", ["client-certificate", "client-key"])
def test_half_a_certificate_is_none(config: Path, ada: KeyPair, part: str) -> None:
    login = find_login(write(config, {"server": URL}, **{part: str(ada.certificate)}), {})
    assert (login.authorization, login.certificate) == (None, None)


async def seen_by_a_server(authority: Authority, tls: ssl.SSLContext) -> str | None:
    """The common name of the client certificate that a server gets in a session; None if there is none."""
    pair = authority.issue("server", "server", addresses=["127.0.0.1"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.pair.certificate))
    context.load_cert_chain(pair.certificate, pair.key)
    context.verify_mode = ssl.CERT_OPTIONAL
    seen: asyncio.Queue[Any] = asyncio.Queue()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        certificate = writer.get_extra_info("peercert")
        await end(writer)
        seen.put_nowait(certificate)

    async with await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        await reader.read()
        await end(writer)
        certificate = await seen.get()
    return dict(pair for [pair] in certificate["subject"])["commonName"] if certificate else None


async def end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


def test_a_damaged_certificate_is_reported_with_its_server(config: Path, ada: KeyPair) -> None:
    (config.parent / "damaged").write_text("nothing", encoding="utf-8")
    login = find_login(write(config, {"server": URL, "certificate-authority": "damaged"}), {})
    with pytest.raises(LoginError, match=f"The certificates for {URL} cannot be used"):
        login.server.tls()
    pair = {"client-certificate": "damaged", "client-key": str(ada.key)}
    with pytest.raises(LoginError, match=f"The certificates for {URL} cannot be used"):
        Server(URL).tls(find_login(write(config, **pair), {}).certificate)
