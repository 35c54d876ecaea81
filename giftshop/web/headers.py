"""The security headers of every answer, errors included, and the refusal of forms sent from other sites."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

from giftshop.foundation.settings import Settings

STRIPE_CHECKOUT = "https://checkout.stripe.com"
PERSONAL = ("/c/", "/orders/", "/gift", "/balance", "/staff", "/redeem", "/office")
"""Where pages show what belongs to one person: never kept by a cache, never found by a search engine."""
WITH_FORMS = ("/orders/", "/gift", "/balance", "/staff", "/redeem", "/office")
"""Where a form is posted back: with "no-referrer" the browser would call its origin null."""
OF_FILES = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
}
"""What a file is sent with: opened by itself, a picture or a script of ours may do nothing at all."""
SCANNER = "/redeem"
"""The one page that may use the camera."""
SIGNED_ELSEWHERE = ("/webhooks/",)
"""What other machines post; they prove themselves by a signature."""


def add_security_headers(app: Flask, settings: Settings, *, style_source: str) -> None:
    """Send the headers with every answer; `style_source` is the hash of the inlined style sheet."""
    policy = _content_security_policy(settings, style_source)

    @app.after_request
    def protect(response: Response) -> Response:
        path = request.path.lower()
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin" if path.startswith(WITH_FORMS) else "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = f"camera={'(self)' if path == SCANNER else '()'}"
        if settings.base_url.startswith("https://"):
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if _is_empty_form(path):
            headers["Cache-Control"] = "private, no-cache"  # no-store would lose what was typed on "back"
        elif path.startswith(PERSONAL):
            headers["Cache-Control"] = "no-store"
            headers["X-Robots-Tag"] = "noindex"
        return response


def may_post_to(address: str, settings: Settings) -> bool:
    """Tell whether a browser lets a form of ours lead to this address: an account may have its own domain at Stripe."""
    return any(address.startswith(f"{origin}/") for origin in _payment_origins(settings))


def protect_files(serve: Any) -> Any:
    """Return the WSGI app `serve` with the headers of files on every answer that has none of its own yet."""

    def protected(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            sent = {name.lower() for name, _ in headers}
            missing = [(name, value) for name, value in OF_FILES.items() if name.lower() not in sent]
            return start_response(status, [*headers, *missing], *rest)

        answer: Iterable[bytes] = serve(environ, start)
        return answer

    return protected


def refuse_foreign_forms(app: Flask, settings: Settings) -> None:
    """Answer 403 to a form that another site sent, before its CSRF token is even looked at."""
    own = urlsplit(settings.base_url)
    own_origin = f"{own.scheme}://{own.netloc}".lower()

    @app.before_request
    def check_origin() -> None:
        if request.method in ("GET", "HEAD", "OPTIONS") or request.path.startswith(SIGNED_ELSEWHERE):
            return
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin", own_origin).lower()
        if site not in ("same-origin", "none") or origin != own_origin:
            abort(403)


def _is_empty_form(path: str) -> bool:
    """Tell whether this is the builder as every visitor gets it, with nobody's order in it."""
    return path == "/gift" and request.method in ("GET", "HEAD") and "order" not in request.args


def _content_security_policy(settings: Settings, style_source: str) -> str:
    form_targets = ["'self'", *_payment_origins(settings)]
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": f"'self' '{style_source}'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "form-action": " ".join(form_targets),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _payment_origins(settings: Settings) -> list[str]:
    return [STRIPE_CHECKOUT, *([settings.stripe_api_base] if settings.stripe_api_base else [])]
