"""What every answer of the shop must carry, whatever it answers: the security headers, checked by one rule."""

from collections.abc import Mapping

HEADERS = {
    "x-content-type-options": {"nosniff"},
    "referrer-policy": {"no-referrer", "same-origin"},
    "cross-origin-opener-policy": {"same-origin"},
}
DIRECTIVES = {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"}
PERSONAL = ("/c/", "/orders/", "/gift", "/balance", "/staff", "/redeem", "/office")


def assert_protected(path: str, headers: Mapping[str, str]) -> None:
    """Check the headers of an answer from `path`."""
    sent = {name.lower(): value for name, value in headers.items()}
    for name, allowed in HEADERS.items():
        assert sent.get(name) in allowed, f"{path}: {name} is {sent.get(name)}"
    policy = sent.get("content-security-policy", "")
    assert {directive.strip() for directive in policy.split(";")} >= DIRECTIVES, f"{path}: {policy}"
    assert "unsafe" not in policy
    assert "*" not in policy
    camera = "camera=(self)" if path == "/redeem" else "camera=()"
    assert sent.get("permissions-policy") == camera, path
    if path.lower().startswith(PERSONAL):
        _assert_private(path, sent)


def _assert_private(path: str, sent: Mapping[str, str]) -> None:
    """No cache keeps it and no search engine lists it; the empty builder alone may be shown again on "back"."""
    if path == "/gift" and sent["cache-control"] == "private, no-cache":
        return
    assert sent["cache-control"] == "no-store", path
    assert sent["x-robots-tag"] == "noindex", path
