"""Requests without an answer, in words: from exceptions nested as urllib3 nests them."""

import ssl

import requests

from provisioner_operator.cli.api.connection_errors import connection_error
from provisioner_operator.cli.errors import Exit, ServerAwayError, UsageError

SERVER = "https://c.example.com"


def raised(error: requests.exceptions.RequestException, cause: BaseException) -> requests.exceptions.RequestException:
    outer = RuntimeError("a layer between")
    outer.__cause__ = cause
    error.__context__ = outer
    return error


def test_a_server_that_refuses_connections_is_away() -> None:
    error = raised(requests.exceptions.ConnectionError(), ConnectionRefusedError(111, "Connection refused"))
    found = connection_error(error, SERVER, 10)
    assert isinstance(found, ServerAwayError)
    assert str(found) == f"The API server at {SERVER} cannot be reached: Connection refused."


def test_a_timeout_names_the_option_that_extends_it() -> None:
    found = connection_error(requests.exceptions.ReadTimeout(), SERVER, 10)
    assert isinstance(found, ServerAwayError)
    assert str(found).endswith("does not answer within 10 s; --request-timeout allows it more time.")


def test_a_certificate_that_is_rejected_is_no_outage() -> None:
    cause = ssl.SSLCertVerificationError("self-signed certificate.")
    found = connection_error(raised(requests.exceptions.SSLError(), cause), SERVER, 10)
    assert isinstance(found, UsageError)
    assert found.code is Exit.USAGE
    assert "was rejected: " in str(found)
    assert "certificate-authority" in str(found)


def test_a_connection_that_breaks_off_is_an_outage() -> None:
    found = connection_error(raised(requests.exceptions.SSLError(), ssl.SSLEOFError()), SERVER, 10)
    assert isinstance(found, ServerAwayError)
    assert "the connection broke off" in str(found)


def test_a_cause_without_words_is_named_by_its_type() -> None:
    found = connection_error(raised(requests.exceptions.ConnectionError(), ValueError()), SERVER, 10)
    assert "cannot be reached: ValueError." in str(found)
