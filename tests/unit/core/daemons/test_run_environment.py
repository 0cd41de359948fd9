"""Variables of a daemon that reach its runs, and those of their values that logs do not show."""

import pytest

from provisioner_operator.core.daemons.run_environment import (
    NAMED_ENV,
    SECRET_ENV,
    ReservedVariableError,
    check_pattern,
    env_from_prefix,
    is_passable,
    run_environment,
)

KEY = "wJalrXUtnFEMI"
OWN = {
    "POD_NAME": "pool-x7k2p",
    "POD_NAMESPACE": "acme",
    "POD_UID": "0b5c",
    "KUBECONFIG": "/etc/daemon.kubeconfig",
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "PROVISIONER_ECHO_LEDGER": "/tmp/ledger-of-runs",
}
OF_RUNS = (
    "HOME",
    "TMPDIR",
    "CODER_AGENT_URL",
    "TF_WORKSPACE",
    "TF_DATA_DIR",
    "KUBE_HOST",
    "KUBE_CTX",
    "CHECKPOINT_DISABLE",
)


def test_without_names_nothing_is_passed_on() -> None:
    passed = run_environment({**OWN, "AWS_SECRET_ACCESS_KEY": KEY})

    assert (passed.values, passed.secrets) == ({}, ())


def test_the_variables_that_a_pool_names_are_passed_on_and_those_from_secrets_are_masked() -> None:
    environment = {
        NAMED_ENV: "AWS_ROLE HTTPS_PROXY AWS_SECRET_ACCESS_KEY ABSENT",
        SECRET_ENV: "AWS_SECRET_ACCESS_KEY",
        "AWS_ROLE": "deployer-of-acme",
        "HTTPS_PROXY": "http://proxy:3128",
        "AWS_SECRET_ACCESS_KEY": KEY,
        "OTHER": "stays with the daemon",
    }
    passed = run_environment(environment)

    assert passed.values == {
        "AWS_ROLE": "deployer-of-acme",
        "HTTPS_PROXY": "http://proxy:3128",
        "AWS_SECRET_ACCESS_KEY": KEY,
    }
    assert passed.secrets == (KEY,)


def test_keys_of_a_pools_sources_lose_their_prefix_and_the_later_source_counts() -> None:
    environment = {
        f"{env_from_prefix(10, secret=True)}TOKEN": "from the last",
        f"{env_from_prefix(9, secret=False)}TOKEN": "from the one before",
        f"{env_from_prefix(0, secret=False)}URL": "https://vault.example.com",
        f"{env_from_prefix(0, secret=False)}ROLE": "of a source",
        "ROLE": "of the pool's env",
        NAMED_ENV: "ROLE",
    }
    passed = run_environment(environment)

    assert passed.values == {
        "URL": "https://vault.example.com",
        "ROLE": "of the pool's env",
        "TOKEN": "from the last",
    }
    assert passed.secrets == ("from the last",)


@pytest.mark.parametrize("name", [*OWN, *OF_RUNS])
def test_what_is_the_daemons_or_the_runs_own_is_never_passed_on(name: str) -> None:
    value = "some value"
    by_source = run_environment({f"{env_from_prefix(0, secret=True)}{name}": value})
    by_name = run_environment({name: value, NAMED_ENV: name, SECRET_ENV: name})
    by_pattern = run_environment({name: value}, (name, f"{name[:2]}*"))

    assert not is_passable(name)
    assert (by_source.values, by_name.values, by_pattern.values) == ({}, {}, {})


def test_a_secret_that_stays_with_the_daemon_is_masked_all_the_same() -> None:
    # A value of the pool may contain it, by $(NAME). What a pattern merely covers is no secret of the pool.
    name = "PROVISIONER_PASSWORD"

    assert run_environment({f"{env_from_prefix(0, secret=True)}{name}": KEY}).secrets == (KEY,)
    assert run_environment({name: KEY, NAMED_ENV: name, SECRET_ENV: name}).secrets == (KEY,)
    assert run_environment({name: KEY}, ("P*",)).secrets == ()


def test_a_pattern_passes_on_one_variable_or_all_with_a_prefix() -> None:
    environment = {
        **OWN,
        "AWS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET": KEY,
        "AWSOME": "no",
        "VAULT_TOKEN": "hvs.CAES",
        "K": "x",
    }

    assert run_environment(environment, ("AWS_*", "VAULT_TOKEN", "K*")).values == {
        "AWS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET": KEY,
        "VAULT_TOKEN": "hvs.CAES",
        "K": "x",
    }


def test_what_a_pool_names_keeps_its_origin_under_a_pattern() -> None:
    environment = {NAMED_ENV: "AWS_ROLE", "AWS_ROLE": "deployer-of-acme"}

    assert run_environment(environment, ("AWS_*",)).secrets == ()


@pytest.mark.parametrize(
    ("name", "value", "is_masked"),
    [
        ("VAULT_TOKEN", "hvs.CAES", True),
        ("PGPASSWORD", "hunter", True),
        ("PGPORT", "5432", False),
        ("TF_LOG", "debug", False),
        ("AWS_REGION", "eu-west-1", False),
        ("region", "eu-west-1", False),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/aws/token", False),
        ("REGIONAL_KEY", "eu-west-1", True),
    ],
)
def test_a_value_of_unknown_origin_is_masked_unless_it_is_short_or_names_a_place(
    name: str, value: str, *, is_masked: bool
) -> None:
    assert bool(run_environment({name: value}, (name,)).secrets) is is_masked


@pytest.mark.parametrize(
    ("name", "value", "is_masked"),
    [
        ("PIN", "4711", True),
        ("ARM_USE_OIDC", "true", False),
        ("A", "False", False),
        ("AWS_DEFAULT_REGION", "eu", False),
    ],
)
def test_of_a_secrets_values_only_switches_and_places_are_shown(name: str, value: str, *, is_masked: bool) -> None:
    by_name = run_environment({name: value, NAMED_ENV: name, SECRET_ENV: name})
    by_source = run_environment({f"{env_from_prefix(0, secret=True)}{name}": value})

    assert (bool(by_name.secrets), bool(by_source.secrets)) == (is_masked, is_masked)


def test_values_are_in_no_representation() -> None:
    assert KEY not in repr(run_environment({"AWS_SECRET": KEY}, ("AWS_*",)))


@pytest.mark.parametrize(
    "pattern", ["AWS_*", "VAULT_TOKEN", "KUBE_*", "KUBE_CONFIG_PATH", "KUBE_CONFIG_PATHS", "K*", "POD_IP"]
)
def test_a_pattern_may_cover_reserved_names(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize("pattern", [*OWN, "PROVISIONER_*", "PROVISIONER_NAMED_*", "KUBERNETES_*"])
def test_a_pattern_of_the_daemons_own_variables_is_refused(pattern: str) -> None:
    with pytest.raises(ReservedVariableError, match="belongs to the daemon's own identity"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [*OF_RUNS, "CODER_*"])
def test_a_pattern_of_a_runs_own_variables_is_refused(pattern: str) -> None:
    with pytest.raises(ReservedVariableError, match="a run sets it itself"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["", "*", "A*B", "A**", "A=b"])
def test_what_names_no_variable_is_refused(pattern: str) -> None:
    with pytest.raises(ReservedVariableError, match="neither the NAME of a variable"):
        check_pattern(pattern)


def test_settings_of_traces_are_the_daemons_unless_they_are_asked_for() -> None:
    headers = "OTEL_EXPORTER_OTLP_HEADERS"
    source = env_from_prefix(0, secret=False)
    environment = {
        headers: KEY,
        "OTEL_SERVICE_NAME": "ours",
        NAMED_ENV: f"{headers} OTEL_SERVICE_NAME",
        SECRET_ENV: headers,
    }

    kept = run_environment(environment | {f"{source}OTEL_TRACES_EXPORTER": "otlp"})
    passed = run_environment(environment, ("OTEL_*",))

    assert dict(kept.values) == {"OTEL_TRACES_EXPORTER": "otlp"}
    assert dict(passed.values) == {headers: KEY, "OTEL_SERVICE_NAME": "ours"}
    assert kept.secrets == passed.secrets == (KEY,)
