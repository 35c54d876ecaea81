"""What is wrong with the settings, and what is only doubtful, one sentence each; no secret is ever repeated.

Offline: nobody is asked. `flask doctor` asks the database, Stripe and the mail server as well.
"""

import re
import socket
from collections import Counter
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from giftshop.foundation.settings import Settings

STRIPE_KEY = re.compile(r"(sk|rk)_(test_sim|test|live)_\w{8,}", re.ASCII)
_ORIGIN = re.compile(r"https?://[^/?#@\s]+", re.ASCII)
_SIGNING_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,}")
_CODE_KEY = re.compile(r"[0-9a-fA-F]{64}")
_LEAST_SECRET, _LEAST_SYMBOLS = 32, 8
"""32 random hexadecimal figures have fewer than 8 different ones once in a hundred million keys."""
_WORDS = ("changeme", "change-me", "change_me", "secret", "password", "example", "replace", "your-key", "your_key")
_IN_QUOTES = re.compile(r"""(["']).*\1""", re.DOTALL)


def list_wrong(settings: "Settings") -> list[str]:
    """Name everything for which the start is refused; empty when all is well."""
    return [
        *_wrong_secrets(settings),
        *_wrong_stripe(settings),
        *_wrong_addresses(settings),
        *(_wrong_in_production(settings) if settings.is_production else []),
    ]


def list_doubtful(settings: "Settings") -> list[str]:
    """Name what the shop starts with and what is most likely not meant; only production is asked."""
    if not settings.is_production:
        return []
    doubtful = []
    if not settings.says_proxy_hops:
        doubtful.append(
            "GIFTSHOP_PROXY_HOPS is not set. Something before the shop speaks https: without the number of proxies all"
            " visitors count as one. Set it to 1 behind nginx or Caddy on this host, to 0 if there really is none."
        )
    if settings.database_url.startswith("sqlite"):
        doubtful.append("DATABASE_URL is one file (SQLite): for one host and one process. PostgreSQL is the usual way.")
    return doubtful + _doubtful_secrets(settings)


def _doubtful_secrets(settings: "Settings") -> list[str]:
    named = _named_secrets(settings)
    doubtful = [
        f"{name}: an older key in the list is easy to guess. Drop it as soon as nothing needs it."
        for name, values in named
        if any(is_weak(value) for value in values[1:])
    ]
    doubtful += [
        f"{name}: the quotes around it are part of it here. Is it the same everywhere?"
        for name, values in named
        if any(_IN_QUOTES.fullmatch(value) for value in values)
    ]
    newest = [values[0] for _name, values in named if values]
    if len(set(newest)) < len(newest):
        doubtful.append("Two secrets are the same: who learns one has the other. Give each its own.")
    return doubtful


def split_list(text: str) -> list[str]:
    """Return the parts of a comma separated list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def is_weak(secret: str) -> bool:
    """Tell whether a secret was plainly not drawn at random: few signs, a pattern that repeats or counts, a word."""
    steps = Counter(ord(second) - ord(first) for first, second in pairwise(secret))
    return (
        len(set(secret)) < _LEAST_SYMBOLS
        or steps.most_common(1)[0][1] > len(secret) // 2
        or any(secret[period:] == secret[:-period] for period in range(1, len(secret) // 2 + 1))
        or any(word in secret.lower() for word in _WORDS)
    )


def _named_secrets(settings: "Settings") -> list[tuple[str, list[str]]]:
    """Return the secrets that we make ourselves, each list newest first."""
    return [
        ("GIFTSHOP_SECRET_KEY", split_list(settings.secret_key)),
        ("GIFTSHOP_CODE_PEPPER", split_list(settings.code_pepper)),
        ("GIFTSHOP_CODE_KEYS", split_list(settings.code_keys)),
    ]


def _wrong_secrets(settings: "Settings") -> list[str]:
    *of_letters, (_name, keys) = _named_secrets(settings)
    wrong = [
        f"{name} is missing or shorter than {_LEAST_SECRET} characters."
        for name, values in of_letters
        if any(len(value) < _LEAST_SECRET for value in values or [""])
    ]
    if not keys or not all(_CODE_KEY.fullmatch(key) for key in keys):
        wrong.append("GIFTSHOP_CODE_KEYS must be one or more keys of 64 hexadecimal figures, newest first.")
    if not settings.webhook_secrets:
        wrong.append("STRIPE_WEBHOOK_SECRET is missing.")
    elif not all(map(_SIGNING_SECRET.fullmatch, settings.webhook_secrets)):
        wrong.append(_tell_webhook_secret(settings.webhook_secrets))
    return wrong


def _tell_webhook_secret(secrets: list[str]) -> str:
    """Say what stands in the place of a signing secret."""
    if any(STRIPE_KEY.match(secret.strip("\"'")) for secret in secrets):
        found = "is an API key, not a signing secret"
    elif any(_IN_QUOTES.fullmatch(secret) for secret in secrets):
        found = "stands in quotes: leave them out"
    else:
        found = "is no signing secret"
    return f"STRIPE_WEBHOOK_SECRET {found}. Stripe shows it with the endpoint; it begins with whsec_."


def _wrong_stripe(settings: "Settings") -> list[str]:
    if not STRIPE_KEY.fullmatch(settings.stripe_secret_key):
        return ["STRIPE_SECRET_KEY must be a secret or restricted key: sk_… or rk_…"]
    if (settings.stripe_mode == "simulated") != bool(settings.stripe_api_base):
        return ["STRIPE_API_BASE goes with a simulated key (sk_test_sim_…), and such a key with it alone."]
    if settings.stripe_api_base and not _is_loopback(settings.stripe_api_base):
        return ["STRIPE_API_BASE must be an http address of this machine."]
    if settings.limits == "wide" and settings.stripe_mode != "simulated":
        return ["GIFTSHOP_LIMITS=wide is for simulated payments: real buyers have the real limits."]
    if settings.stripe_mode == "live" and not settings.is_production:
        return ["STRIPE_SECRET_KEY is a live key: real money needs GIFTSHOP_ENV=production."]
    return []


def _is_loopback(address: str) -> bool:
    try:
        parts = urlsplit(address)
        found = socket.getaddrinfo(parts.hostname or "no.invalid", parts.port or 80)
    except (OSError, ValueError):  # no such host, or no address at all
        return False
    return parts.scheme == "http" and all(ip_address(entry[4][0]).is_loopback for entry in found)


def _wrong_addresses(settings: "Settings") -> list[str]:
    base, database, counters = settings.base_url, settings.database_url, settings.ratelimit_storage_uri
    is_origin = _is_address(base, "http", "https") and bool(_ORIGIN.fullmatch(base))
    is_right = {
        "GIFTSHOP_BASE_URL must be like https://gifts.example.com, without a path.": is_origin,
        "GIFTSHOP_BASE_URL must be a name, not an IPv6 address.": not is_origin or "[" not in base,
        "DATABASE_URL must start with sqlite:/// or postgresql+psycopg://.": (
            not database or database.startswith(("sqlite:///", "postgresql+psycopg://"))
        ),
        "SMTP_URL must be like smtp://user:password@host:587 or smtps://….": (
            not settings.smtp_url or _is_address(settings.smtp_url, "smtp", "smtps")
        ),
        "GIFTSHOP_MAIL_FROM must be one e-mail address.": (
            "@" in settings.mail_from and not re.search(r"[\s,<>\"']", settings.mail_from)
        ),
        "GIFTSHOP_RATELIMIT_STORAGE_URI must be like redis://:password@host:6379/0, or unset.": (
            not counters or _is_address(counters, "redis", "rediss")
        ),
    }
    return [sentence for sentence, is_so in is_right.items() if not is_so]


def _is_address(text: str, *schemes: str) -> bool:
    """Tell whether this is an address with a host, of one of these schemes, whose port is a port."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _wrong_in_production(settings: "Settings") -> list[str]:
    wrong = [
        f"{name} is easy to guess. Draw one: python3 -c 'import secrets; print(secrets.token_hex(32))'"
        for name, values in _named_secrets(settings)
        if values and len(values[0]) >= _LEAST_SECRET and is_weak(values[0])
    ]
    if not settings.base_url.startswith("https://"):
        wrong.append("GIFTSHOP_BASE_URL must start with https:// in production.")
    if settings.stripe_mode == "simulated":
        wrong.append("STRIPE_SECRET_KEY is a simulated key; production needs a real one.")
    if not settings.smtp_url:
        wrong.append("SMTP_URL is missing: production does not capture mail.")
    if "mail_from" not in settings.model_fields_set:
        wrong.append("GIFTSHOP_MAIL_FROM is missing: mail servers refuse gifts@localhost.")
    if not settings.database_url:
        wrong.append("DATABASE_URL is missing. If one file is meant, say so: sqlite:////path/to/giftshop.sqlite.")
    return wrong
