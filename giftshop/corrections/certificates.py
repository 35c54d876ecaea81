"""Corrections: what managers and the owner do to a sold certificate, each answered once, for pages and commands.

Nothing here commits. What is refused has left nothing behind.
"""

from giftshop import clock
from giftshop.certificates import status
from giftshop.certificates.requests import Asked, do_once
from giftshop.ledger.idempotency import Answer
from giftshop.ledger.models import Certificate
from giftshop.notifications import letters
from giftshop.orders.look_up import find_gift
from giftshop.staff.found_certificates import forget_found


def freeze(certificate: Certificate, asked: Asked) -> Answer:
    """Put a certificate on hold until somebody releases it."""

    def act() -> dict[str, object]:
        now = clock.now()
        status.freeze_by_hand(certificate.id, reason_code=asked.reason, actor=asked.actor, at=now)
        return {}

    return do_once("freeze", certificate, asked, act)


def unfreeze(certificate: Certificate, asked: Asked) -> Answer:
    """End every hold of a certificate that a person may end."""

    def act() -> dict[str, object]:
        now = clock.now()
        return {"lifted": status.lift_all(certificate.id, reason_code=asked.reason, actor=asked.actor, at=now)}

    return do_once("unfreeze", certificate, asked, act)


def void(certificate: Certificate, asked: Asked) -> Answer:
    """End a certificate; its balance goes to zero."""

    def act() -> dict[str, object]:
        entry = status.void(
            certificate.id, reason_code=asked.reason, request_key=asked.key, actor=asked.actor, at=clock.now()
        )
        return {"entry": entry.id, "taken": entry.amount_cents}

    return do_once("void", certificate, asked, act)


def reissue(certificate: Certificate, asked: Asked) -> Answer:
    """Give a certificate a new code and send it to whoever had the old one; `told` says whether a message goes out."""

    def act() -> dict[str, object]:
        now = clock.now()
        status.reissue(certificate.id, reason_code=asked.reason, actor=asked.actor, at=now)
        forget_found(certificate.id)
        gift = find_gift(certificate.id)
        return {"told": gift is not None and letters.queue_new_code(gift, certificate, at=now)}

    return do_once("reissue", certificate, asked, act)
