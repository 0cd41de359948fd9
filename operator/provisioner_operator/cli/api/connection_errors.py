"""Explain in words why a request got no answer: from the nested exceptions of requests, urllib3 and ssl."""

import ssl

import requests

from provisioner_operator.cli.errors import CliError, ServerAwayError, UsageError


def connection_error(error: requests.exceptions.RequestException, server: str, timeout: float) -> CliError:
    """Return the error to raise for a request that got no answer.

    Args:
        error: The exception of `requests`.
        server: The address of the API server.
        timeout: The timeout of the request in seconds.
    """
    if isinstance(error, requests.exceptions.SSLError) and not isinstance(
        root_cause(error), ssl.SSLEOFError | ssl.SSLZeroReturnError
    ):
        return UsageError(
            f"The TLS certificate of the API server at {server} was rejected: {_in_words(error)}."
            " Check the server's address and certificate-authority in the kubeconfig."
        )
    if isinstance(error, requests.exceptions.Timeout):
        return ServerAwayError(
            f"The API server at {server} does not answer within {timeout:.0f} s; --request-timeout allows it more time."
        )
    return ServerAwayError(f"The API server at {server} cannot be reached: {_in_words(error)}.")


def root_cause(error: BaseException) -> BaseException:
    """Return the exception that started the chain."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _in_words(error: BaseException) -> str:
    cause = root_cause(error)
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or isinstance(cause, ssl.SSLEOFError):
        return "the connection broke off"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause).rstrip(".") or type(cause).__name__
