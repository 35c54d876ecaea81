"""The gateway to Stripe, the only file that imports its SDK: plain facts out, refusals by name.

Shapes and traps of SDK 16: two clients with timeouts and retries always set (the SDK's defaults are 80 s per
try and none), StripeObject is no dict, telemetry off, signatures checked before anything is parsed.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, cast

import stripe

from giftshop.errors import CheckoutUnavailableError
from giftshop.payments.errors import ParametersChangedError, RefusedByStripeError, WebhookRefusedError
from giftshop.payments.facts import (
    ChargeFacts,
    DisputeFacts,
    RefundFacts,
    Refusal,
    RefusalKind,
    SessionFacts,
    charge_facts,
    dispute_facts,
    payment_intent_of,
    refund_facts,
    session_facts,
)

stripe.enable_telemetry = False  # it writes a file into the home directory and sends platform data

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
        with _named_errors():
            sessions = self._page_client.v1.checkout.sessions
            return session_facts(
                sessions.create(params=cast(Any, parameters), options={"idempotency_key": idempotency_key})
            )

    def retrieve_session(self, session_id: str, *, patience: Patience = "page") -> SessionFacts | None:
        """Read a session; None when Stripe does not know it. Raises CheckoutUnavailableError."""
        with _named_errors(), _unknown_is_none():
            sessions = self._client(patience).v1.checkout.sessions
            return session_facts(sessions.retrieve(session_id, params={"expand": _EXPAND}))
        return None

    def expire_session(self, session_id: str) -> bool:
        """End an open session so that it can no longer be paid; False when it was not open any more."""
        with _named_errors():
            try:
                self._page_client.v1.checkout.sessions.expire(session_id)
            except stripe.InvalidRequestError:
                return False
            return True

    def list_completed_sessions(self, since: datetime) -> Iterator[SessionFacts]:
        """Yield the completed sessions of this account made since `since`, newest first."""
        with _named_errors():
            page = self._job_client.v1.checkout.sessions.list(params=_wanted(since) | {"status": "complete"})
            yield from (session_facts(session) for session in page.auto_paging_iter())

    def find_session_of_payment(self, payment_intent_id: str, *, patience: Patience = "page") -> SessionFacts | None:
        """Return the Checkout Session that a payment was made in, or None. Raises CheckoutUnavailableError."""
        with _named_errors():
            sessions = self._client(patience).v1.checkout.sessions
            page = sessions.list(params={"payment_intent": payment_intent_id, "limit": 1, "expand": _EXPAND_LISTED})
            return next((session_facts(session) for session in page.data), None)

    def list_charges(
        self, since: datetime | None = None, until: datetime | None = None, *, payment_intent_id: str = ""
    ) -> Iterator[ChargeFacts]:
        """Yield the charges made from `since` on and before `until`, or those of one payment, newest first."""
        with _named_errors(), _unknown_is_none():
            page = self._job_client.v1.charges.list(params=_wanted(since, until, payment_intent_id))
            yield from (charge_facts(charge) for charge in page.auto_paging_iter())

    def create_refund(self, parameters: dict[str, Any], idempotency_key: str, *, patience: Patience) -> RefundFacts:
        """Ask Stripe to pay back. Raises CheckoutUnavailableError (outcome unknown), ParametersChangedError,
        CheckoutRefusedError (a definite no)."""
        with _named_errors():
            refunds = self._client(patience).v1.refunds
            options: Any = {"idempotency_key": idempotency_key}
            return refund_facts(refunds.create(params=cast(Any, parameters), options=options))

    def retrieve_refund(self, refund_id: str, *, patience: Patience = "page") -> RefundFacts | None:
        """Read a refund; None when Stripe does not know it. Raises CheckoutUnavailableError."""
        with _named_errors(), _unknown_is_none():
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
        with _named_errors():
            page = self._client(patience).v1.refunds.list(params=_wanted(since, until, payment_intent_id))
            yield from (refund_facts(refund) for refund in page.auto_paging_iter())

    def retrieve_dispute(self, dispute_id: str, *, patience: Patience = "page") -> DisputeFacts | None:
        """Read a dispute; None when Stripe does not know it. Raises CheckoutUnavailableError."""
        with _named_errors(), _unknown_is_none():
            return dispute_facts(self._client(patience).v1.disputes.retrieve(dispute_id))
        return None

    def list_disputes(self, since: datetime, until: datetime | None = None) -> Iterator[DisputeFacts]:
        """Yield the disputes opened from `since` on (and before `until`), newest first."""
        with _named_errors():
            page = self._job_client.v1.disputes.list(params=_wanted(since, until))
            yield from (dispute_facts(dispute) for dispute in page.auto_paging_iter())

    def find_payment_of_warning(self, warning_id: str, *, patience: Patience = "page") -> str:
        """Return the id of the payment an early fraud warning is about, empty when there is none."""
        with _named_errors(), _unknown_is_none():
            warnings = self._client(patience).v1.radar.early_fraud_warnings
            return payment_intent_of(warnings.retrieve(warning_id))
        return ""

    def find_payment_of_charge(self, charge_id: str, *, patience: Patience = "page") -> str:
        """Return the id of a charge's payment, empty when Stripe does not know it. Raises CheckoutUnavailableError."""
        with _named_errors(), _unknown_is_none():
            return payment_intent_of(self._client(patience).v1.charges.retrieve(charge_id))
        return ""

    def list_events(self, types: list[str], since: datetime) -> Iterator[dict[str, Any]]:
        """Yield the events of these types (at most 20) since `since` (Stripe keeps 30 days), newest first."""
        with _named_errors():
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
            raise WebhookRefusedError from None
        if not isinstance(event, dict) or event.get("object") != "event" or not _has_names(event):
            raise WebhookRefusedError
        return event

    def _verified(self, body: bytes, header: str | None, now: float) -> str:
        if not header or len(header) > 2000 or not header.isascii():
            raise WebhookRefusedError
        text = body.decode("utf-8")
        stamp = int(dict(part.split("=", 1) for part in header.split(",") if "=" in part).get("t", "")[:12])
        if stamp - now > _TOLERANCE_SECONDS or not any(self._fits(text, header, secret) for secret in self._secrets):
            raise WebhookRefusedError
        return text

    @staticmethod
    def _fits(text: str, header: str, secret: str) -> bool:
        try:
            stripe.WebhookSignature.verify_header(text, header, secret, tolerance=_TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError:
            return False
        return True

    def _client(self, patience: Patience) -> stripe.StripeClient:
        return self._page_client if patience == "page" else self._job_client

    @cached_property
    def _page_client(self) -> stripe.StripeClient:
        return self._built(connect=1.5, read=3.0, retries=1)

    @cached_property
    def _job_client(self) -> stripe.StripeClient:
        return self._built(connect=3.05, read=10.0, retries=2)

    def _built(self, *, connect: float, read: float, retries: int) -> stripe.StripeClient:
        return stripe.StripeClient(
            self._key,
            base_addresses={"api": self._base} if self._base else None,
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=cast(Any, (connect, read))),
        )


def _wanted(since: datetime | None, until: datetime | None = None, payment_intent_id: str = "") -> Any:
    """Return the parameters of a list: what was made between moments, which are whole seconds, or of one payment."""
    created = {"gte": int(since.timestamp())} if since else {}
    created |= {"lt": int(until.timestamp())} if until else {}
    wanted = {"created": created, "payment_intent": payment_intent_id}
    return {"limit": 100, **{name: value for name, value in wanted.items() if value}}


@contextmanager
def _unknown_is_none() -> Iterator[None]:
    """Go on behind the block when Stripe answers that there is no such object."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.http_status != 404:
            raise


@contextmanager
def _named_errors() -> Iterator[None]:
    """Turn the SDK's errors into ours: unknown outcome, changed parameters, or a definite no."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError):
        raise CheckoutUnavailableError from None
    except stripe.IdempotencyError:
        raise ParametersChangedError from None
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise RefusedByStripeError(_refusal(error, RefusalKind.KEY)) from None
    except stripe.InvalidRequestError as error:
        raise RefusedByStripeError(_refusal(error, RefusalKind.REQUEST)) from None
    except stripe.StripeError:
        raise CheckoutUnavailableError from None


def _refusal(error: stripe.StripeError, kind: RefusalKind) -> Refusal:
    """Return a refusal by its name, Stripe's code and the request's id: what Stripe writes may quote an address."""
    code = error.code or ""
    return Refusal(f"{type(error).__name__} {code} {error.request_id or ''}", kind, code)


def _has_names(event: dict[str, Any]) -> bool:
    names = (event.get("id"), event.get("type"))
    return all(isinstance(name, str) and re.fullmatch(r"[\w.]{1,255}", name, re.ASCII) for name in names)
