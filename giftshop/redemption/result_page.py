"""The page of one certificate at the counter: the verdict, what may be taken, what may be undone, the facts."""

from flask import current_app, render_template
from flask_login import current_user

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates.codes import last_four
from giftshop.certificates.look_up import code_of
from giftshop.certificates.status import version_of
from giftshop.errors import AmountInTwoWaysError, AmountTooFineError, InvalidAmountError
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.states import CertificateStatus
from giftshop.ledger.undo import find_reversal, has_ended_for_good
from giftshop.money import reading_rules
from giftshop.orders.standings import Situation, read_situation
from giftshop.redemption import till
from giftshop.redemption.promises import find_bounced_at, find_honoured, find_promise, find_send_at
from giftshop.redemption.undoing import Undo, ask_undo
from giftshop.redemption.verdict import Verdict, judge, just_redeemed, list_notes
from giftshop.staff.accounts import find_name
from giftshop.staff.rights import has_role
from giftshop.web.form_state import form_key, typed_in

FIELD_OF_REFUSAL = {
    "InvalidAmountError": "other_amount",
    "AmountTooFineError": "other_amount",
    "AmountInTwoWaysError": "other_amount",
    "TwoAmountsError": "other_amount",
    "InsufficientBalanceError": "other_amount",
    "NoteTooLongError": "note",
    "NoteTellsCodeError": "note",
    "ReasonMissingError": "reason",
    "ReasonTooLongError": "reason",
    "ReasonTellsTooMuchError": "reason",
}
"""Where a refusal is told on the page; every other one only stands in the summary."""


def render_result(
    certificate: Certificate,
    *,
    done: LedgerEntry | None = None,
    undoing: LedgerEntry | None = None,
    again: bool = False,
    errors: dict[str, str] | None = None,
    is_answered: bool = False,
) -> str:
    """Return the page; `done` is the entry just made, `undoing` one whose undo was refused, `errors` why, by field."""
    last = till.find_last_redemption(certificate)
    situation = read_situation(certificate, on=clock.today(get_practice().time_zone))
    verdict = _judge(situation, last)
    is_first_look = done is None and not again and not errors
    is_repeat = is_first_look and verdict.tone != "bad" and just_redeemed(last, at=clock.now())
    undo = _ask_undo(certificate, undoing or done or last)
    return render_template(
        "redemption/result.html",
        certificate=certificate,
        verdict=verdict,
        may_take=verdict.may_redeem and done is None and not is_repeat,
        is_repeat=is_repeat,
        **_tell_done(done),
        undo=undo,
        errors=_placed(errors or {}, verdict, undo),
        **_fill_in(certificate, is_answered=is_answered),
        **_offer(certificate),
        **_tell_facts(situation, last),
    )


def _tell_done(done: LedgerEntry | None) -> dict[str, object]:
    """Return the entry just made, the session it honoured, and what has undone it since."""
    if done is None:
        return {"done": None, "honoured": None, "undone": None}
    return {"done": done, "honoured": find_honoured(done), "undone": find_reversal(done.id)}


def _judge(situation: Situation, last: LedgerEntry | None) -> Verdict:
    return judge(
        situation,
        last,
        mode=current_app.config["SHOP_SETTINGS"].stripe_mode,
        time_zone=get_practice().time_zone,
        send_at=find_send_at(situation.certificate),
        bounced_at=find_bounced_at(situation.certificate),
    )


def _ask_undo(certificate: Certificate, entry: LedgerEntry | None) -> Undo | None:
    if has_ended_for_good(certificate):
        return None
    return ask_undo(entry, staff_id=current_user.id, is_manager=has_role("manager"))


def _fill_in(certificate: Certificate, *, is_answered: bool) -> dict[str, object]:
    """Return what stands in the fields before anybody types."""
    typed = {field: typed_in(field) for field in ("other_amount", "note", "reason")}
    return {"typed": typed, "request_key": form_key(*version_of(certificate), is_answered=is_answered)}


def _offer(certificate: Certificate) -> dict[str, object]:
    """Return what may be taken with one tap, which of it stands selected, and how amounts are written."""
    usual, promise = till.find_usual_offer(certificate), find_promise(certificate)
    choices = till.list_choices(certificate, usual, promise)
    return {
        "usual": usual,
        "promise": promise,
        "choices": choices,
        "chosen": _chosen(choices, may_preselect=not till.must_choose(certificate)),
        "rules": reading_rules(certificate.currency),
        "unread": {
            "unreadable": InvalidAmountError().message,
            "too_fine": AmountTooFineError().message,
            "two_ways": AmountInTwoWaysError().message,
        },
    }


def _tell_facts(situation: Situation, last: LedgerEntry | None) -> dict[str, object]:
    certificate = situation.certificate
    return {
        "notes": list_notes(situation, time_zone=get_practice().time_zone),
        "code_end": "" if certificate.status == CertificateStatus.VOID else last_four(code_of(certificate)),
        "last": last,
        "last_by": find_name(last.actor) if last is not None else "",
        "is_mine": last is not None and last.actor == f"staff:{current_user.id}",
    }


def _chosen(choices: list[till.Choice], *, may_preselect: bool) -> str:
    """Return the choice that stands selected: what was chosen before, if it is still offered, else the first."""
    wanted = typed_in("amount")
    if wanted == till.OTHER or typed_in("other_amount"):
        return till.OTHER
    if wanted in (choice.amount for choice in choices):
        return wanted
    return choices[0].amount if may_preselect else ""


def _placed(errors: dict[str, str], verdict: Verdict, undo: Undo | None) -> dict[str, str]:
    """Return the errors with no place on the page for those whose field is not shown."""
    is_shown = undo is not None and undo.needs_reason if "reason" in errors else verdict.may_redeem
    return errors if is_shown or not errors else {"": " ".join(errors.values())}
