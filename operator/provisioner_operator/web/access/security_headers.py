"""Headers that confine a page in the browser, and keep answers out of caches. Added to every answer."""

from starlette.datastructures import MutableHeaders

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types provisioner"
)
"""Only our own scripts, styles and pictures, and no frame around the page."""
_FIXED = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_CREDENTIALS = ("Authorization", "Coder-Session-Token", "Cookie")
_PUBLIC = "public"


def add_security_headers(headers: MutableHeaders) -> None:
    """Add the headers; an answer that says nothing about caches is stored by none.

    A route may allow `private` caches to store an answer (with an ETag), and, for static files alone, `public` ones.
    """
    for name, value in _FIXED.items():
        headers[name] = value
    control = headers.setdefault("Cache-Control", "no-store")
    if _PUBLIC not in control:
        headers.add_vary_header(", ".join(_CREDENTIALS))
