"""What people ask to be done to a certificate: who asks, why, by which request; each request is answered once."""

from collections.abc import Callable
from dataclasses import dataclass

from giftshop.certificates.status import version_of
from giftshop.ledger.idempotency import Answer, answer_once, refuse_changed
from giftshop.ledger.models import Certificate
from giftshop.ledger.posting import lock_certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for a correction, why, and by which request; `actor` is like "staff:7"."""

    actor: str
    reason: str
    key: str


def do_once(
    name: str,
    certificate: Certificate,
    asked: Asked,
    act: Callable[[], dict[str, object]],
    *,
    first: Callable[[], object] = tuple,
    **more: object,
) -> Answer:
    """Run `act` for whoever asks, once for the request's key; the same request again gets the first answer.

    Refused when the certificate is no longer what the page showed. `first` locks what is to be locked before it.
    """

    def act_on_what_was_seen() -> dict[str, object]:
        first()
        refuse_changed(asked.key, *version_of(lock_certificate(certificate.id)))
        return act()

    body = {"act": name, "certificate": certificate.public_id, "reason": asked.reason, **more}
    return answer_once(scope=f"{name}:{asked.actor}", key=asked.key, body=body, act=act_on_what_was_seen)
