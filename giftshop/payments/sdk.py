"""How Stripe's SDK is used, for gateway.py alone: patient clients, and its errors by our names.

The SDK's defaults are 80 s for a try and no second one, and it gives up at once where Stripe says "too many at once".
"""

import json
import logging
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import stripe

from giftshop.errors import CheckoutUnavailableError
from giftshop.payments.errors import ParametersChangedError, RefusedByStripeError
from giftshop.payments.facts import Refusal, RefusalKind

stripe.enable_telemetry = False  # it writes a file into the home directory and sends platform data

BUSY_TRIES = 3
"""How often a call is made again that Stripe was too busy for: it did nothing, so the same key may ask once more."""
_RIGHT = re.compile(r"\b[a-z]+(?:_[a-z]+)*_(?:read|write)\b")
"""A right of a restricted key, as Stripe's sentence names it: 'rak_checkout_session_write'."""
log = logging.getLogger(__name__)


class _PatientClient(stripe.RequestsClient):
    """Asks again, later and later, when Stripe answers 429; the SDK would hand that to the buyer."""

    def _should_retry(
        self, response: Any, api_connection_error: Any, num_retries: int, max_network_retries: Any
    ) -> bool:
        if response is not None and response[1] == 429:
            return num_retries < BUSY_TRIES
        return bool(super()._should_retry(response, api_connection_error, num_retries, max_network_retries))


def build_client(key: str, base: str, *, connect: float, read: float, retries: int) -> stripe.StripeClient:
    """Return a client that waits so many seconds for a connection and for an answer, and tries again so often."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else None,
        max_network_retries=retries,
        http_client=_PatientClient(timeout=cast(Any, (connect, read))),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question came to: HTTP status (0: no answer), the answer's JSON, Stripe's clock, and why not, in words."""

    status: int
    found: dict[str, Any] = field(default_factory=dict)
    date: str = ""
    words: str = ""


def ask(client: stripe.StripeClient, method: str, path: str) -> Asked:
    """Make a call of the API as it is; no answer is an error."""
    try:
        answer: Any = client.raw_request(method, path)
    except stripe.APIConnectionError as error:
        return Asked(0, words=describe_connection(error))
    except stripe.StripeError as error:
        headers: Any = error.headers or {}
        return Asked(error.http_status or 0, date=headers.get("Date", ""), words=_refusal(error, RefusalKind.KEY).words)
    return Asked(200, json.loads(answer.body), answer.headers.get("Date", ""))


@contextmanager
def unknown_is_none() -> Iterator[None]:
    """Go on behind the block when Stripe answers that there is no such object."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.http_status != 404:
            raise


@contextmanager
def named_errors() -> Iterator[None]:
    """Turn the SDK's errors into ours: unknown outcome, changed parameters, or a definite no."""
    try:
        yield
    except stripe.APIConnectionError as error:
        log.warning("Stripe could not be reached: %s", describe_connection(error))
        raise CheckoutUnavailableError from None
    except stripe.IdempotencyError:
        raise ParametersChangedError from None
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise RefusedByStripeError(_refusal(error, RefusalKind.KEY)) from None
    except stripe.InvalidRequestError as error:
        raise RefusedByStripeError(_refusal(error, RefusalKind.REQUEST)) from None
    except stripe.StripeError:
        raise CheckoutUnavailableError from None


def describe_connection(error: BaseException) -> str:
    """Say why no answer came, as far as it is known; of a certificate that is not trusted, by whom."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError) or "SSLError" in type(cause).__name__ for cause in causes):
        reason = next((str(cause) for cause in causes if isinstance(cause, ssl.SSLError)), "TLS failed")
        return f"{reason}. Stripe's SDK trusts only its own bundle, {stripe.ca_bundle_path}, not the system's."
    return type(causes[-1]).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, the origin last."""
    found: BaseException | None = error
    while found is not None:
        yield found
        reasons = [reason for reason in (*found.args, getattr(found, "reason", None)) if isinstance(reason, Exception)]
        found = found.__cause__ or found.__context__ or next(iter(reasons), None)


def _refusal(error: stripe.StripeError, kind: RefusalKind) -> Refusal:
    """Return a refusal by its name, Stripe's code, the rights a key lacks and the request's id.

    Nothing else of what Stripe writes: it may quote an address, or part of the key.
    """
    code = error.code or ""
    lacking = " ".join(sorted(set(_RIGHT.findall(str(error.user_message or "")))))
    words = [type(error).__name__, code, *([f"lacks {lacking}"] if lacking else []), error.request_id or ""]
    return Refusal(" ".join(words), kind, code, error.http_status or 0)
