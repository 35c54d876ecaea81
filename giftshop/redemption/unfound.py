"""What staff are told of a code of the right form that opens nothing: why, and how to go on."""

from dataclasses import dataclass

from giftshop.certificates.look_up import find_replacement
from giftshop.dates import write_local_day
from giftshop.errors import CertificateNotFoundError, CodeReplacedError, ShopError
from giftshop.orders.look_up import find_gift
from giftshop.redemption.verdict import Verdict
from giftshop.words import _


@dataclass(frozen=True, slots=True)
class Unfound:
    """The verdict on such a code, what to do at the field, and the order of the certificate that had it, if one had."""

    verdict: Verdict
    way_on: str
    order_id: int | None = None


def judge_unfound(typed: str, refusal: ShopError, *, time_zone: str) -> Unfound | None:
    """Return what to show for a code that was refused, or None for what is no code at all."""
    if isinstance(refusal, CodeReplacedError):
        return _judge_replaced(typed, time_zone)
    return _judge_unknown() if isinstance(refusal, CertificateNotFoundError) else None


def _judge_unknown() -> Unfound:
    reason = _("All 16 characters fit together, but this code isn’t one of ours")
    return Unfound(Verdict("bad", _("No such certificate"), reason), _("Compare it with the certificate"))


def _judge_replaced(typed: str, time_zone: str) -> Unfound:
    replaced = find_replacement(typed)
    if replaced is None:  # undone since: no path leads here
        return _judge_unknown()
    day = write_local_day(replaced.replaced_at, time_zone)
    reason = _(
        "A new code took its place on %(day)s; what is left is on that one. Ask for the newer certificate", day=day
    )
    gift = find_gift(replaced.certificate_id)
    verdict = Verdict("bad", _("This code was replaced"), reason)
    return Unfound(verdict, _("Type the new code"), gift.order_id if gift else None)
