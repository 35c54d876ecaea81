"""What people ask to be done to a certificate: who asks, why, by which request; each request is answered once."""

from collections.abc import Callable
from dataclasses import dataclass

from giftshop.ledger.idempotency import Answer, answer_once
from giftshop.ledger.models import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for a correction, why, and by which request; `actor` is like "staff:7"."""

    actor: str
    reason: str
    key: str


def do_once(
    name: str, certificate: Certificate, asked: Asked, act: Callable[[], dict[str, object]], **more: object
) -> Answer:
    """Run `act` for whoever asks, once for the request's key; the same request again gets the first answer."""
    body = {"act": name, "certificate": certificate.public_id, "reason": asked.reason, **more}
    return answer_once(scope=f"{name}:{asked.actor}", key=asked.key, body=body, act=act)
