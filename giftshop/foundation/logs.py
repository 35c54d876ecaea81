"""Logs without secrets: JSON lines in production, plain ones in development, addresses by their route only."""

import logging
import re
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask, Response, g, request

from giftshop.foundation.settings import Settings

_MASKS = (
    (re.compile(r"(/c(?:/|%2f))(?!<)[^/\s\"'?#]+", re.IGNORECASE), r"\1…"),
    (re.compile(r"(/orders/|[?&]order=)(?=[\w-]{16})[^/\s\"'?#&]+"), r"\1…"),  # a token, and no file's name
    (re.compile(r"\b((?:sk|rk)_(?:test|live)|whsec)_\w+"), r"\1_…"),
)
_FRAME = re.compile(r'(File "[^"\n]*", line \d+)')
"""How a traceback names a file: our folders are called like our addresses, and no visitor names a file of ours."""


def set_up_logs(settings: Settings) -> None:
    """Send every log line of the process to stderr through one formatter that masks secrets."""
    renderer: Any = structlog.processors.JSONRenderer() if settings.is_production else structlog.dev.ConsoleRenderer()
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    jobs = logging.getLogger("dbos")  # with a handler of ours it sets up none of its own past this formatter
    jobs.handlers, jobs.propagate = [logging.NullHandler()], True
    for noisy in ("alembic", "dbos", "weasyprint", "fontTools", "stripe", "urllib3"):
        logging.getLogger(noisy).setLevel("WARNING")


def log_requests(app: Flask) -> None:
    """Write one line per request with its route's pattern, never the address itself."""
    log = logging.getLogger("giftshop.access")

    @app.before_request
    def start() -> None:
        g.started_at = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "(none)"
        milliseconds = round((time.perf_counter() - g.get("started_at", time.perf_counter())) * 1000, 1)
        facts = {"method": request.method, "route": route, "status": response.status_code, "ms": milliseconds}
        log.info("request", extra=facts)
        return response


def mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank codes in addresses, order tokens and keys wherever a line would show them: the last net, not the first."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = mask(value)
    return event


def mask(text: str) -> str:
    """Return a text without codes, order tokens and keys; the files that a traceback names stay readable."""
    pieces = _FRAME.split(text)
    return "".join(piece if number % 2 else _blank(piece) for number, piece in enumerate(pieces))


def mask_record(record: logging.LogRecord) -> bool:
    """Mask what a line of a logger that is not ours would say, its traceback too; a filter that lets every line pass.

    For gunicorn, which writes addresses as they came: at its debug level, of its own accidents, in its access log.
    """
    record.msg, record.args = mask(record.getMessage()), ()
    if record.exc_info and not record.exc_text:
        record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
    return True


def _blank(text: str) -> str:
    for pattern, blank in _MASKS:
        text = pattern.sub(blank, text)
    return text
