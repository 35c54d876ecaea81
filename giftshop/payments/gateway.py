"""The gateway to Stripe, with sdk.py the only files that import its SDK: plain facts out, refusals by name.

Shapes and traps of SDK 16: two clients, one for pages and one for jobs (sdk.py), StripeObject is no dict, signatures
checked before anything is parsed.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, cast

import stripe

from giftshop.payments.errors import WebhookReason, WebhookRefusedError
from giftshop.payments.facts import (
    ChargeFacts,
    DisputeFacts,
    RefundFacts,
    SessionFacts,
    charge_facts,
    dispute_facts,
    payment_intent_of,
    refund_facts,
    session_facts,
)
from giftshop.payments.sdk import Asked, ask, build_client, named_errors, unknown_is_none

_EXPAND = ["payment_intent", "line_items"]
_EXPAND_LISTED = ["data.payment_intent"]
_TOLERANCE_SECONDS = 300
Patience = Literal["page", "job"]


class StripeGateway:
    """Talks to Stripe with one secret key; holds no state of orders."""

    def __init__(self, *, secret_key: str, api_base: str, webhook_secrets: list[str]) -> None:
        self._key, self._base, self._secrets = secret_key, api_base, webhook_secrets

    def create_session(self, parameters: dict[str, Any], idempotency_key: str) -> SessionFacts:
        """Create the Checkout Session of one attempt while the buyer waits (9.5 s at worst).

        Raises CheckoutUnavailableError (outcome unknown: same key again), ParametersChangedError,
        CheckoutRefusedError (our key or our parameters are wrong).
        """
        with named_errors():
            sessions = self._page_client.v1.checkout.sessions
            return session_facts(
                sessions.create(params=cast(Any, parameters), options={"idempotency_key": idempotency_key})
            )

    def retrieve_session(self, session_id: str, *, patience: Patience = "page") -> SessionFacts | None:
        """Read a session; None when Stripe does not know it. Raises CheckoutUnavailableError."""
        with named_errors(), unknown_is_none():
            sessions = self._client(patience).v1.checkout.sessions
            return session_facts(sessions.retrieve(session_id, params={"expand": _EXPAND}))
        return None

    def expire_session(self, session_id: str) -> bool:
        """End an open session so that it can no longer be paid; False when it was not open any more."""
        with named_errors():
            try:
                self._page_client.v1.checkout.sessions.expire(session_id)
            except stripe.InvalidRequestError:
                return False
            return True

    def list_completed_sessions(self, since: datetime) -> Iterator[SessionFacts]:
        """Yield the completed sessions of this account made since `since`, newest first."""
        with named_errors():
            page = self._job_client.v1.checkout.sessions.list(params=_wanted(since) | {"status": "complete"})
            yield from (session_facts(session) for session in page.auto_paging_iter())

    def find_session_of_payment(self, payment_intent_id: str, *, patience: Patience = "page") -> SessionFacts | None:
        """Return the Checkout Session that a payment was made in, or None. Raises CheckoutUnavailableError."""
        with named_errors():
            sessions = self._client(patience).v1.checkout.sessions
            page = sessions.list(params={"payment_intent": payment_intent_id, "limit": 1, "expand": _EXPAND_LISTED})
            return next((session_facts(session) for session in page.data), None)

    def list_charges(
        self, since: datetime | None = None, until: datetime | None = None, *, payment_intent_id: str = ""
    ) -> Iterator[ChargeFacts]:
        """Yield the charges made from `since` on and before `until`, or those of one payment, newest first."""
        with named_errors(), unknown_is_none():
            page = self._job_client.v1.charges.list(params=_wanted(since, until, payment_intent_id))
            yield from (charge_facts(charge) for charge in page.auto_paging_iter())

    def create_refund(self, parameters: dict[str, Any], idempotency_key: str, *, patience: Patience) -> RefundFacts:
        """Ask Stripe to pay back. Raises CheckoutUnavailableError (outcome unknown), ParametersChangedError,
        CheckoutRefusedError (a definite no)."""
        with named_errors():
            refunds = self._client(patience).v1.refunds
            options: Any = {"idempotency_key": idempotency_key}
            return refund_facts(refunds.create(params=cast(Any, parameters), options=options))

    def retrieve_refund(self, refund_id: str, *, patience: Patience = "page") -> RefundFacts | None:
        """Read a refund; None when Stripe does not know it. Raises CheckoutUnavailableError."""
        with named_errors(), unknown_is_none():
            return refund_facts(self._client(patience).v1.refunds.retrieve(refund_id))
        return None

    def list_refunds(
        self,
        *,
        payment_intent_id: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        patience: Patience = "job",
    ) -> Iterator[RefundFacts]:
        """Yield the refunds of one payment, or those made since a moment (and before another), newest first."""
        with named_errors():
            page = self._client(patience).v1.refunds.list(params=_wanted(since, until, payment_intent_id))
            yield from (refund_facts(refund) for refund in page.auto_paging_iter())

    def retrieve_dispute(self, dispute_id: str, *, patience: Patience = "page") -> DisputeFacts | None:
        """Read a dispute; None when Stripe does not know it. Raises CheckoutUnavailableError."""
        with named_errors(), unknown_is_none():
            return dispute_facts(self._client(patience).v1.disputes.retrieve(dispute_id))
        return None

    def list_disputes(self, since: datetime, until: datetime | None = None) -> Iterator[DisputeFacts]:
        """Yield the disputes opened from `since` on (and before `until`), newest first."""
        with named_errors():
            page = self._job_client.v1.disputes.list(params=_wanted(since, until))
            yield from (dispute_facts(dispute) for dispute in page.auto_paging_iter())

    def find_payment_of_warning(self, warning_id: str, *, patience: Patience = "page") -> str:
        """Return the id of the payment an early fraud warning is about, empty when there is none."""
        with named_errors(), unknown_is_none():
            warnings = self._client(patience).v1.radar.early_fraud_warnings
            return payment_intent_of(warnings.retrieve(warning_id))
        return ""

    def find_payment_of_charge(self, charge_id: str, *, patience: Patience = "page") -> str:
        """Return the id of a charge's payment, empty when Stripe does not know it. Raises CheckoutUnavailableError."""
        with named_errors(), unknown_is_none():
            return payment_intent_of(self._client(patience).v1.charges.retrieve(charge_id))
        return ""

    def list_events(self, types: list[str], since: datetime) -> Iterator[dict[str, Any]]:
        """Yield the events of these types (at most 20) since `since` (Stripe keeps 30 days), newest first."""
        with named_errors():
            page = self._job_client.v1.events.list(params=_wanted(since) | {"types": types})
            yield from (event.to_dict() for event in page.auto_paging_iter())

    def read_event(self, body: bytes, header: str | None, now: datetime) -> dict[str, Any]:
        """Return a verified snapshot event. Raises WebhookRefusedError: answer 400.

        The SDK's own construct_event lets strangers cause TypeError, UnicodeDecodeError, AttributeError and
        RecursionError, and accepts future dates; so the signature is checked first and everything else here.
        """
        try:
            text = self._verified(body, header, now.timestamp())
            event = json.loads(text)
        except (ValueError, RecursionError):
            raise WebhookRefusedError(WebhookReason.MALFORMED) from None
        if not isinstance(event, dict) or event.get("object") != "event" or not _has_names(event):
            raise WebhookRefusedError(WebhookReason.MALFORMED)
        return event

    def _verified(self, body: bytes, header: str | None, now: float) -> str:
        if not header or len(header) > 2000 or not header.isascii() or "v1=" not in header:
            raise WebhookRefusedError(WebhookReason.UNSIGNED)
        text = body.decode("utf-8")
        stamp = int(dict(part.split("=", 1) for part in header.split(",") if "=" in part).get("t", "")[:12])
        if stamp - now > _TOLERANCE_SECONDS or not self._fits(text, header, _TOLERANCE_SECONDS):
            is_ours = self._fits(text, header, None)
            late_or_early = WebhookReason.EARLY if stamp > now else WebhookReason.LATE
            raise WebhookRefusedError(late_or_early if is_ours else WebhookReason.FOREIGN)
        return text

    def _fits(self, text: str, header: str, tolerance: int | None) -> bool:
        """Tell whether one of the secrets made the signature, not longer ago than so many seconds if it matters."""
        for secret in self._secrets:
            with suppress(stripe.SignatureVerificationError):
                return bool(stripe.WebhookSignature.verify_header(text, header, secret, tolerance=tolerance))
        return False

    def ask(self, path: str, *, posts: bool = False) -> Asked:
        """Return what Stripe answers at a path, whatever it is, for the doctor.

        `posts` sends an empty form, which no call takes: the answer only shows whether the key may.
        """
        return ask(self._page_client, "post" if posts else "get", path)

    def _client(self, patience: Patience) -> stripe.StripeClient:
        return self._page_client if patience == "page" else self._job_client

    @cached_property
    def _page_client(self) -> stripe.StripeClient:
        return build_client(self._key, self._base, connect=1.5, read=3.0, retries=1)

    @cached_property
    def _job_client(self) -> stripe.StripeClient:
        return build_client(self._key, self._base, connect=3.05, read=10.0, retries=2)


def _wanted(since: datetime | None, until: datetime | None = None, payment_intent_id: str = "") -> Any:
    """Return the parameters of a list: what was made between moments, which are whole seconds, or of one payment."""
    created = {"gte": int(since.timestamp())} if since else {}
    created |= {"lt": int(until.timestamp())} if until else {}
    wanted = {"created": created, "payment_intent": payment_intent_id}
    return {"limit": 100, **{name: value for name, value in wanted.items() if value}}


def _has_names(event: dict[str, Any]) -> bool:
    names = (event.get("id"), event.get("type"))
    return all(isinstance(name, str) and re.fullmatch(r"[\w.]{1,255}", name, re.ASCII) for name in names)
