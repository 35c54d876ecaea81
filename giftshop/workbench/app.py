"""Joins the workbench's parts into one WSGI app, for `__main__`."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Flask, Response, g, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from giftshop.workbench.configuration import ROOT, Configuration
from giftshop.workbench.control import api as control
from giftshop.workbench.control import dashboard
from giftshop.workbench.mailbox import pages as mailbox
from giftshop.workbench.schedule import start_clock
from giftshop.workbench.state import open_workbench
from giftshop.workbench.stripe import api, checkout_page
from giftshop.workbench.stripe.currencies import DECIMALS
from giftshop.workbench.stripe.webhooks.hooks import start_senders

_HOSTS = ("127.0.0.1", "localhost", "::1")
_MAX_BODY = 30 * 1024 * 1024


def create_app(config: Configuration) -> Flask:
    """Build the app and start its threads: those that deliver events and the one that minds the clock."""
    bench = open_workbench(config)
    app = Flask("giftshop.workbench", root_path=str(ROOT), static_folder=None)
    app.extensions["workbench"] = bench
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for part in (api, checkout_page, control, dashboard, mailbox):
        app.register_blueprint(part.blueprint)
    _add_pages(app)
    _add_guards(app)
    start_senders(bench)
    start_clock(bench)
    return app


def _add_pages(app: Flask) -> None:
    css = (ROOT / "templates/workbench/workbench.css").read_text(encoding="utf-8")
    app.config["STYLE_HASH"] = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    app.jinja_env.globals["css"] = Markup(css)  # noqa: S704 - our own file
    app.jinja_env.filters["money"] = display
    app.jinja_env.filters["moment"] = _moment
    app.add_url_rule("/", "home", lambda: render_template("workbench/home.html"))
    app.add_url_rule("/healthz", "healthz", lambda: Response("ok", content_type="text/plain"))
    app.register_error_handler(HTTPException, _error_page)


def _add_guards(app: Flask) -> None:
    @app.before_request
    def check_host() -> tuple[str, int] | None:
        """Refuse every name but this machine's own: a page elsewhere could point its own name here."""
        if urlsplit(f"//{request.host}").hostname in _HOSTS:
            return None
        return "The workbench answers to 127.0.0.1 and localhost only.\n", 400

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in _headers(app).items():
            response.headers.setdefault(name, value)
        return response


def _headers(app: Flask) -> dict[str, str]:
    """Return the headers of every answer; the payment page's form leads on to the addresses in `g.leads_to`."""
    origins = [re.match(r"https?://[\w.:\[\]-]+", address, re.ASCII) for address in g.get("leads_to", [])]
    targets = " ".join(["'self'", *sorted({origin[0] for origin in origins if origin})])
    policy = (
        f"default-src 'none'; style-src 'sha256-{app.config['STYLE_HASH']}'; img-src data:; frame-src 'self';"
        f" form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
    }


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _error_page(error: HTTPException) -> tuple[str, int]:
    return render_template("workbench/error.html", error=error), error.code or 500


def display(amount: int, currency: str) -> str:
    """Return e.g. `$50.00`, `5,000 JPY` or `1.250 KWD`; integers only, never a float."""
    figures = DECIMALS.get(currency, 2)
    whole, part = divmod(abs(amount), 10**figures)
    text = f"{'-' if amount < 0 else ''}{{}}{whole:,}" + (f".{part:0{figures}d}" if figures else "")
    return text.format("$") if currency == "usd" else f"{text.format('')} {currency.upper()}"
