"""Failures of `init` that may pass by themselves, in the words of OpenTofu and Terraform, and those that need a person."""

import pytest

from provisioner_operator.daemon.terraform.output import Diagnostic
from provisioner_operator.daemon.terraform.passing_failure import may_pass

MODULE = "Failed to download module"
PROVIDER = "Failed to query available provider packages"
PASSING = [
    (MODULE, 'Could not download module "m" (m.tf:1) source code from "https://x/m.zip": bad response code: 503'),
    (
        MODULE,
        'source code from "http://x/m.zip": Get "http://x/m.zip": dial tcp 127.0.0.1:1: connect: connection refused',
    ),
    (
        MODULE,
        "git exited with 128: Cloning into 'm'...\nfatal: unable to access 'http://x/': The requested URL\nreturned error: 503",
    ),
    (MODULE, "git exited with 128: fatal: unable to access 'https://x/': Could not resolve host: x"),
    (MODULE, "error: RPC failed; curl 56\nfatal: early EOF\nfatal: the remote end hung up unexpectedly"),
    (
        "Failed to resolve provider packages",
        'could not connect to x: failed to request discovery document: Get "https://x/": dial tcp: lookup x: no such host',
    ),
    (PROVIDER, "the request failed after 2 attempts, please try again later: 502 Bad Gateway returned from registry"),
    (PROVIDER, "could not connect to registry.terraform.io: net/http: TLS handshake timeout"),
    (PROVIDER, "failed to request discovery document: 429 Too Many Requests"),
    (PROVIDER, "Get https://x: net/http: request canceled (Client.Timeout\nexceeded while awaiting headers)"),
    ("Failed to install provider", "Error while installing hashicorp/aws v5.0.0: unexpected EOF"),
    ("Failed to install provider", 'Get "https://x/p.zip": EOF'),
    ("Failed to install provider", "read tcp 10.0.0.1:4->1.1.1.1:443: read: connection reset by peer"),
]
LASTING = [
    (MODULE, 'source code from "https://x/m.zip": bad response code: 404'),
    (MODULE, "git exited with 128: fatal: repository 'http://x/' not found"),
    (MODULE, "fatal: Authentication failed for 'https://x/500.git/'"),
    (PROVIDER, "no available releases match the given constraints ~> 503.0"),
    (PROVIDER, "provider registry registry.terraform.io does not have a provider named x/y"),
    (
        "Failed to install provider",
        "the current package for x/y 1.0.0 doesn't match any of the checksums previously recorded",
    ),
    ("Invalid block definition", "Either a quoted string block label or an opening brace is expected here."),
    ("Error accessing remote module registry", "tls: first record does not look like a TLS handshake."),
]


def an_error(summary: str, detail: str) -> Diagnostic:
    return Diagnostic("error", summary, detail)


@pytest.mark.parametrize(("summary", "detail"), PASSING)
def test_a_failure_of_the_network_or_a_server_may_pass(summary: str, detail: str) -> None:
    assert may_pass([an_error(summary, detail)])


@pytest.mark.parametrize(("summary", "detail"), LASTING)
def test_a_failure_that_needs_a_person_does_not_pass(summary: str, detail: str) -> None:
    assert not may_pass([an_error(summary, detail)])


def test_another_try_is_of_use_only_if_every_error_may_pass() -> None:
    passing, lasting = an_error(*PASSING[0]), an_error(*LASTING[0])
    assert may_pass([passing, passing])
    assert not may_pass([passing, lasting])
    assert not may_pass([])
