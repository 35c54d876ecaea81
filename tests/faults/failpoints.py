"""Failpoints: named places in the shop where a test makes a process die, fail or dawdle; for rigged.py and scenarios.

The product knows nothing of them: functions are wrapped from outside, and a commit is told by the function that asks
for it. A failpoint is armed by a file of its name in a folder, so running processes can be armed, and fires once,
because only one process can take the file away.
"""

import functools
import importlib
import os
import re
import signal
import smtplib
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy.exc import OperationalError

from giftshop.foundation.database import ShopSession

CALLS = {
    "attempt_prepared": "giftshop.checkout.sessions:_prepare",
    "session_created": "giftshop.payments.gateway:StripeGateway.create_session",
    "session_read": "giftshop.payments.gateway:StripeGateway.retrieve_session",
    "webhook_parsed": "giftshop.payments.gateway:StripeGateway.read_event",
    "certificates_issued": "giftshop.checkout.fulfilment:_pay",
    "job_enqueued": "giftshop.foundation.jobs:enqueue",
    "job_picked_up": "giftshop.delivery.deliveries:deliver",
    "pdf_printed": "giftshop.documents.worker:Press.print_pdf",
    "smtp_data": "smtplib:SMTP.data",
    "mail_handed_over": "giftshop.delivery.mailer:Mailer.send",
    "refund_sent": "giftshop.payments.gateway:StripeGateway.create_refund",
    "refund_recorded": "giftshop.reconciliation.webhook_events:record_refund",
    "dispute_recorded": "giftshop.reconciliation.webhook_events:record_dispute",
    "jobs_taken_over": "giftshop.foundation.jobs:_take_over",
}
"""A step that is one function: before it is called, after it has returned."""

COMMITS = {
    "order_saved": "giftshop.storefront.builder.steps:receive_gift",
    "attempt_saved": "giftshop.checkout.sessions:open_checkout",
    "session_stored": "giftshop.checkout.sessions:_record",
    "webhook_committed": "giftshop.storefront.webhook:receive_event",
    "order_page_committed": "giftshop.storefront.order.page:_settle",
    "mail_claimed": "giftshop.delivery.deliveries:deliver",
    "mail_marked": "insist giftshop.delivery.deliveries:deliver",
    "redeem_committed": "giftshop.redemption.views:redeem",
    "undo_committed": "giftshop.redemption.views:undo",
    "refund_held": "giftshop.office.refund:refund",
    "refund_settled": "giftshop.refunds.requests:pursue_refund",
}
"""A step that is a commit, by who asks for it ("insist" when through giftshop.foundation.retry.insist)."""

ANSWERS = {
    "gift_answered": r"/gift",
    "webhook_answered": r"/webhooks/stripe",
    "redeem_answered": r"/redeem/[^/]+",
    "undo_answered": r"/redeem/[^/]+/undo",
    "refund_answered": r"/office/certificates/[^/]+/refund",
}
"""A step that is an answer to a POST: before its first byte is sent, after its last one is."""

STEPS = (*CALLS, *COMMITS, *ANSWERS)
IN_WORKERS = frozenset(
    {"job_picked_up", "pdf_printed", "smtp_data", "mail_handed_over", "mail_claimed", "mail_marked", "jobs_taken_over"}
)
FIRED = "fired"


class Fired(NamedTuple):
    """A failpoint that fired: which, what it did, and when by the steady clock."""

    point: str
    action: str
    at: float


class BrokenOffError(BaseException):
    """Stands for the death of the process in scenarios that stay in one: nobody catches it, the transaction is lost."""


class Armoury:
    """The folder in which failpoints are armed, for the test that arms them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / FIRED).mkdir(parents=True, exist_ok=True)

    def arm(self, point: str, action: str = "kill") -> None:
        """Arm `step.before` or `step.after`; the action is kill, raise, break (within one process) or `sleep 1.5`."""
        step, _, when = point.partition(".")
        assert step in STEPS, f"no step is called {step}"
        assert when in ("before", "after"), point
        draft = self.folder / f".{point}"
        draft.write_text(action)
        draft.rename(self.folder / point)

    def armed(self) -> list[str]:
        """Return what has not fired yet."""
        return sorted(each.name for each in self.folder.iterdir() if each.is_file())

    def disarm(self) -> list[str]:
        """Take away what did not fire; return it."""
        left = self.armed()
        for name in left:
            (self.folder / name).unlink(missing_ok=True)
        return left

    def fired(self) -> list[Fired]:
        """Return the points that fired, in no order."""
        found = []
        for each in (self.folder / FIRED).iterdir():
            point, _pid, at_ns = each.name.rsplit("-", 2)
            found.append(Fired(point, each.read_text(), int(at_ns) / 1e9))
        return found


def install(patches: pytest.MonkeyPatch, folder: Path) -> None:
    """Wrap every step in this process; `patches` undoes it."""
    strike = functools.partial(_strike, folder)
    for step, place in CALLS.items():
        owner, name = _find(place)
        patches.setattr(owner, name, _around(step, getattr(owner, name), strike))
    patches.setattr(ShopSession, "commit", _around_commits(ShopSession.commit, strike))


class Answering:
    """A WSGI app around the shop's own, for the steps that are answers."""

    def __init__(self, app: Any, folder: Path) -> None:
        self._app, self._strike = app, functools.partial(_strike, folder)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body: Iterable[bytes] = self._app(environ, start_response)
        path = environ["PATH_INFO"] if environ["REQUEST_METHOD"] == "POST" else ""
        step = next((step for step, pattern in ANSWERS.items() if re.fullmatch(pattern, path)), "")
        if not step:
            return body
        self._strike(f"{step}.before")
        return _Closing(body, lambda: self._strike(f"{step}.after"))


class _Closing:
    """A body that says when the server has sent all of it."""

    def __init__(self, body: Iterable[bytes], when_sent: Callable[[], None]) -> None:
        self._body, self._when_sent = body, when_sent

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        if hasattr(self._body, "close"):
            self._body.close()
        self._when_sent()


def _find(place: str) -> tuple[Any, str]:
    module, _, path = place.partition(":")
    *classes, name = path.split(".")
    owner: Any = smtplib if module == "smtplib" else importlib.import_module(module)
    for each in classes:
        owner = getattr(owner, each)
    return owner, name


def _around(step: str, function: Callable[..., Any], strike: Callable[[str], None]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        strike(f"{step}.before")
        result = function(*args, **kwargs)
        strike(f"{step}.after")
        return result

    return wrapped


def _around_commits(commit: Callable[..., None], strike: Callable[[str], None]) -> Callable[..., None]:
    steps = {place: step for step, place in COMMITS.items()}

    def wrapped(session: ShopSession) -> None:
        step = steps.get(who_commits())
        if step:
            strike(f"{step}.before")
        commit(session)
        if step:
            strike(f"{step}.after")

    return wrapped


def who_commits() -> str:
    """Name the function that asked for this commit, looking outwards from here."""
    frame, prefix = sys._getframe(2), ""
    while frame is not None:
        module, function = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if module == "giftshop.foundation.retry":
            prefix = "insist "
        elif module.startswith("giftshop."):
            return f"{prefix}{module}:{function}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def _strike(folder: Path, point: str) -> None:
    """Do what the point is armed for, if it is armed and nobody else was faster."""
    armed = folder / point
    try:
        action, _, figure = armed.read_text().partition(" ")
        armed.rename(folder / FIRED / f"{point}-{os.getpid()}-{time.monotonic_ns()}")
    except FileNotFoundError:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # until the signal has arrived
    elif action == "raise":
        raise OperationalError(point, None, sqlite3.OperationalError("the database went away here"))
    elif action == "break":
        raise BrokenOffError(point)
    else:
        time.sleep(float(figure))
