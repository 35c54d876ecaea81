"""What the doctor asks of others: Stripe, the mail server, and the shop itself at its public address."""

import smtplib
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import sqlalchemy as sa
from flask import current_app

from giftshop import clock
from giftshop.catalog.practice import find_practice
from giftshop.commands.doctor.books import compare_clocks
from giftshop.commands.doctor.findings import Finding, fault, ok, shop_settings, warning
from giftshop.delivery.mailer import try_server
from giftshop.foundation.database import db
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.models import Alert
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation.webhook_events import handled_types
from giftshop.storefront.webhook import count_refused

READS = (
    "checkout/sessions",
    "payment_intents",
    "charges",
    "refunds",
    "disputes",
    "events",
)
WRITES = ("checkout/sessions", "refunds")
"""What the key must be allowed, by address; radar's warnings are read one by one only."""
_MAIL_ERRORS: dict[type[OSError], str] = {
    smtplib.SMTPRecipientsRefused: "The server does not take mail to the practice's own address",
    smtplib.SMTPSenderRefused: "The server does not take mail from GIFTSHOP_MAIL_FROM",
    smtplib.SMTPAuthenticationError: "The server does not take the user and password of SMTP_URL",
    smtplib.SMTPNotSupportedError: "The server offers no encryption or no sign-in at this port of SMTP_URL",
    smtplib.SMTPResponseException: "The server refused",
    smtplib.SMTPServerDisconnected: "The server hung up",
    ssl.SSLCertVerificationError: "The server's certificate is not trusted here",
    ssl.SSLError: "Encryption failed (smtps:// is for port 465, smtp:// for 587)",
    OSError: "The server of SMTP_URL could not be reached",
}
"""What a step of sending ends with, and what it says; the first that fits."""
A_MINUTE, SECONDS = 60, 10
SOME_REFUSED = 3


def check_stripe() -> Iterator[Finding]:
    """Ask Stripe who we are, what the key may, and what time it is."""
    asked = _gateway().ask("/v1/account")
    mode = shop_settings().stripe_mode
    if asked.status in (0, 401):
        yield fault("stripe", _tell_no_answer(asked.words) if asked.status == 0 else f"Not this key: {asked.words}")
        return
    if asked.status == 200:
        yield _tell_account(asked.found, mode)
    else:
        yield ok("stripe", f"answers in {mode} mode; whose account it is this key may not ask ({asked.words})")
    if asked.date:
        yield compare_clocks("Stripe's", parsedate_to_datetime(asked.date))
    lacking = list(_list_lacking())
    for words in lacking:
        yield fault("stripe rights", f"{words} Give the key that right in Stripe's dashboard.")
    if not lacking:
        yield ok("stripe rights", f"the key may read {len(READS)} things and write {len(WRITES)}")


def check_webhooks() -> Iterator[Finding]:
    """Ask Stripe where it sends events and whether they arrive, and the shop whether it believes them."""
    refused, alerted = count_refused(), _is_alerted()
    asked = _gateway().ask("/v1/events?limit=20")
    if asked.status != 0:  # that Stripe does not answer is said already
        yield from _check_endpoints()
    undelivered = [event for event in asked.found.get("data", []) if _is_undelivered(event)]
    if undelivered or alerted or refused >= SOME_REFUSED:
        yield fault(
            "webhook secret",
            f"Stripe could not deliver {len(undelivered)} of its last events, and {refused} in a row were refused here."
            " Is STRIPE_WEBHOOK_SECRET the signing secret of this very endpoint?",
        )
    elif refused:
        yield warning("webhook secret", f"{refused} events were refused since the last good one; the log says why.")
    else:
        yield ok("webhook secret", "no event was refused since the last good one")


def check_mail() -> Iterator[Finding]:
    """Go through all of sending a mail to the practice but the mail itself."""
    settings, practice = shop_settings(), find_practice()
    to_address = practice.email if practice else settings.mail_from
    db.session.remove()
    if not settings.smtp_url:
        yield ok("mail", "is captured by the workbench; nothing leaves this machine")
        return
    try:
        try_server(settings.smtp_url, sender=settings.mail_from, to_address=to_address)
    except OSError as error:  # smtplib's errors are of this kind too
        yield fault("mail", _tell_mail_error(error))
    else:
        yield ok("mail", f"the server takes mail from {settings.mail_from} to the practice")


def check_public_address() -> Iterator[Finding]:
    """Ask the running shop at its own address, through whatever stands before it, how it is."""
    base = shop_settings().base_url
    try:
        answer = requests.get(f"{base}/readyz", timeout=SECONDS, allow_redirects=False)
        told = answer.json()
    except requests.exceptions.SSLError as error:
        yield fault("address", f"{base} has no certificate that is trusted here: {_origin(error)}")
        return
    except (requests.RequestException, ValueError) as error:
        yield warning("address", f"{base} was not reached from this machine ({type(error).__name__}). Is it running?")
        return
    if not isinstance(told, dict) or "ready" not in told:
        yield fault("address", f"Somebody else answers at {base}: no giftshop.")
        return
    for sentence in told["wrong"]:
        yield fault("running shop", sentence)
    for sentence in told.get("notices", []):
        yield warning("running shop", sentence)
    yield from _check_hops(told.get("proxies", {}), base)


def _gateway() -> StripeGateway:
    gateway: StripeGateway = current_app.extensions["stripe_gateway"]
    db.session.remove()
    return gateway


def _tell_no_answer(why: str) -> str:
    return f"Stripe could not be reached: {why}"


def _tell_account(account: dict[str, Any], mode: str) -> Finding:
    name = (account.get("settings") or {}).get("dashboard", {}).get("display_name") or account.get("id", "")
    if account.get("charges_enabled") is False and mode == "live":
        return fault("stripe", f"{name} may not take payments yet: finish the account in Stripe's dashboard.")
    return ok("stripe", f"{name} answers in {mode} mode")


def _list_lacking() -> Iterator[str]:
    """Yield what the key may not; nothing is made: an empty form is refused by whoever may send one."""
    for name in READS:
        asked = _gateway().ask(f"/v1/{name}?limit=1")
        if asked.status in (401, 403):
            yield f"The key may not read {name} ({asked.words})."
    for name in WRITES:
        asked = _gateway().ask(f"/v1/{name}", posts=True)
        if asked.status in (401, 403):
            yield f"The key may not write {name} ({asked.words})."


def _check_endpoints() -> Iterator[Finding]:
    wanted = f"{shop_settings().base_url}/webhooks/stripe"
    asked = _gateway().ask("/v1/webhook_endpoints?limit=100")
    if asked.status != 200:
        yield warning("webhooks", f"This key may not ask where events go. In the dashboard it must be {wanted}.")
        return
    found = next((each for each in asked.found.get("data", []) if each.get("url") == wanted), None)
    if found is None:
        others = ", ".join(str(each.get("url")) for each in asked.found.get("data", [])) or "nowhere"
        yield fault("webhooks", f"No endpoint is registered for {wanted}; events go to: {others}.")
        return
    events = set(found.get("enabled_events", []))
    missing = [] if "*" in events else [name for name in handled_types() if name not in events]
    if found.get("status") != "enabled":
        yield fault("webhooks", f"The endpoint is {found.get('status')}. Enable it in Stripe's dashboard.")
    if missing:
        yield fault("webhooks", f"The endpoint does not get {', '.join(missing)}. Add them in Stripe's dashboard.")
    else:
        yield ok("webhooks", f"{wanted} gets every event that is needed")


def _is_undelivered(event: dict[str, Any]) -> bool:
    is_some_time_ago = clock.now().timestamp() - int(event.get("created", 0)) > A_MINUTE
    return bool(event.get("pending_webhooks")) and is_some_time_ago and event.get("type") in handled_types()


def _is_alerted() -> bool:
    is_open = (Alert.kind == AlertKind.WEBHOOK_REFUSED, Alert.resolved_at.is_(None))
    return db.session.scalar(sa.select(Alert.id).where(*is_open).limit(1)) is not None


def _tell_mail_error(error: OSError) -> str:
    """Say at which step it ended, with the server's own words."""
    sentence = next(words for kind, words in _MAIL_ERRORS.items() if isinstance(error, kind))
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return f"{sentence}: {code} {_decoded(said)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{sentence}: {error.smtp_code} {_decoded(error.smtp_error)}"
    return f"{sentence}: {getattr(error, 'verify_message', '') or error.strerror or error}"


def _decoded(words: str | bytes) -> str:
    return " ".join((words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)).split())


def _origin(error: BaseException) -> str:
    """Return what a TLS error says at its origin."""
    found = next((arg for arg in (getattr(error.args[0], "reason", None), *error.args) if arg), error)
    return str(found)[:200]


def _check_hops(proxies: dict[str, Any], base: str) -> Iterator[Finding]:
    """Compare the proxies that our own question came through with what the shop was told."""
    seen, told = proxies.get("seen"), proxies.get("told")
    if seen != told:
        yield fault("proxies", f"A request to {base} came through {seen} proxies; GIFTSHOP_PROXY_HOPS says {told}.")
    else:
        yield ok("proxies", f"{base} answers, through {seen} proxies, as GIFTSHOP_PROXY_HOPS says")
