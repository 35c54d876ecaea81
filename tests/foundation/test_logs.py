"""Logs that name routes, not addresses, and blank whatever would open something."""

import json
import logging
import sys
import traceback
from collections.abc import Iterator

import pytest
from flask import Flask

from giftshop.foundation import logs
from giftshop.foundation.logs import mask_secrets
from tests.conftest import make_settings

CODE = "K7M2-QX9R-TB4D-HVWR"
TOKEN = "kX9vQ2mT7bR4dH8wK7M2QX"  # as an order's page has it

MASKED = [
    (f"GET /c/{CODE}", "GET /c/…"),
    (f"GET /C/{CODE.lower()}/certificate.pdf?paper=a4", "GET /C/…/certificate.pdf?paper=a4"),
    (f"'http://127.0.0.1:8000/c/{CODE}'", "'http://127.0.0.1:8000/c/…'"),
    (f"/orders/{TOKEN}?session_id=cs_1", "/orders/…?session_id=cs_1"),
    (f"/gift?order={TOKEN}&x=1", "/gift?order=…&x=1"),
    ("key sk_live_abc123, rk_test_x9 and whsec_Zz", "key sk_live_…, rk_test_… and whsec_…"),
    ("60-minute massage for Ana", "60-minute massage for Ana"),
    (f"/c%2F{CODE} and /c%2f{CODE}", "/c%2F… and /c%2f…"),
    (f"/orders/{TOKEN[:-1]}", "/orders/…"),
    (f"/orders/{TOKEN}. It", "/orders/… It"),
    (
        '  File "/srv/giftshop/orders/look_up.py", line 7, in get',
        '  File "/srv/giftshop/orders/look_up.py", line 7, in get',
    ),
    ('  File "/usr/src/c/lib/main.py", line 7, in x', '  File "/usr/src/c/lib/main.py", line 7, in x'),
    (f'File "/srv/c/a.py", line 7, in x\n GET /c/{CODE}', 'File "/srv/c/a.py", line 7, in x\n GET /c/…'),
    (f'File "/c/{CODE}"', 'File "/c/…"'),  # no line of a traceback
    ("No such file: '/srv/giftshop/orders/look_up.py'", "No such file: '/srv/giftshop/orders/look_up.py'"),
]


@pytest.fixture
def restored() -> Iterator[None]:
    """Give the process its own log handlers back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.mark.parametrize(("line", "masked"), MASKED)
def test_codes_tokens_and_keys_are_blanked_wherever_they_stand(line: str, masked: str) -> None:
    event = {"event": line, "address": line, "ms": 3}
    assert mask_secrets(None, "", event) == {"event": masked, "address": masked, "ms": 3}


@pytest.mark.usefixtures("restored")
def test_production_writes_json_lines_and_errors_with_their_trace(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logs(make_settings("sqlite:///x").model_copy(update={"env": "production"}))
    try:
        raise LookupError(f"nothing at /c/{CODE}")
    except LookupError:
        logging.getLogger("giftshop.x").exception("failed at %s", f"/c/{CODE}", extra={"status": 500})
    line = capsys.readouterr().err
    facts = json.loads(line)
    assert (facts["event"], facts["level"], facts["logger"], facts["status"]) == (
        "failed at /c/…",
        "error",
        "giftshop.x",
        500,
    )
    assert facts["timestamp"].endswith("Z")
    assert "LookupError: nothing at /c/…" in facts["exception"]
    assert CODE not in line


@pytest.mark.usefixtures("restored")
def test_a_request_is_logged_by_its_route_only(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logs(make_settings("sqlite:///x", log_level="INFO"))
    client = app.test_client()
    for path in (f"/c/{CODE}", f"/orders/{TOKEN}", f"/nothing/{CODE}", f"/balance?code={CODE}"):
        client.get(path, base_url="http://127.0.0.1:8000")
    written = capsys.readouterr().err
    assert "/c/<" in written
    assert "/orders/<" in written
    assert "(none)" in written
    assert written.count("request") == 4
    for secret in (CODE, TOKEN, CODE.replace("-", "")):
        assert secret not in written


@pytest.mark.usefixtures("restored")
def test_a_level_is_minded_and_libraries_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logs(make_settings("sqlite:///x", log_level="INFO"))
    for name in ("dbos", "stripe", "weasyprint", "alembic"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("matter")
    logging.getLogger("giftshop").debug("chatter")
    written = capsys.readouterr().err
    assert "chatter" not in written
    assert written.count("matter") == 4


def test_the_files_of_a_traceback_stay_readable(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        exec(compile(f"raise LookupError('/c/{CODE}')", "/srv/giftshop/orders/order_page_with_a_long_name.py", "exec"))
    except LookupError as error:
        text = "".join(traceback.format_exception(error))
    masked = logs.mask(text)
    assert 'File "/srv/giftshop/orders/order_page_with_a_long_name.py", line 1' in masked
    assert "LookupError: /c/…" in masked


def test_a_record_of_another_logger_is_masked_with_its_traceback() -> None:
    try:
        raise OSError(f"/c/{CODE}")
    except OSError:
        record = logging.LogRecord("gunicorn.error", 40, "a.py", 1, "%s failed", (f"/orders/{TOKEN}",), sys.exc_info())
    assert logs.mask_record(record) is True
    written = logging.Formatter().format(record)
    assert written.startswith("/orders/… failed")
    assert "OSError: /c/…" in written
