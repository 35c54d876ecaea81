"""The page of one certificate at the counter: the verdict, what may be taken, what may be undone, the facts."""

from flask import current_app, render_template
from flask_login import current_user

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates.codes import last_four
from giftshop.certificates.models import Certificate, LedgerEntry
from giftshop.certificates.register import code_of
from giftshop.certificates.undo import find_reversal
from giftshop.redemption import till
from giftshop.redemption.verdict import Verdict, judge, just_redeemed
from giftshop.staff.accounts import find_name
from giftshop.staff.rights import has_role
from giftshop.staff.typed import form_key, typed_in

FIELD_OF_REFUSAL = {
    "InvalidAmountError": "other_amount",
    "InsufficientBalanceError": "other_amount",
    "NoteTooLongError": "note",
    "ReasonMissingError": "reason",
}
"""Where a refusal is told on the page; every other one only stands in the summary."""


def render_result(
    certificate: Certificate,
    *,
    done: LedgerEntry | None = None,
    again: bool = False,
    errors: dict[str, str] | None = None,
) -> str:
    """Return the page; `done` is the entry just made, `errors` says why an act was refused, by field."""
    practice = get_practice()
    last = till.find_last_redemption(certificate)
    verdict = judge(
        certificate,
        last,
        mode=current_app.config["SHOP_SETTINGS"].stripe_mode,
        on=clock.today(practice.time_zone),
        time_zone=practice.time_zone,
    )
    is_first_look = done is None and not again and not errors
    is_repeat = is_first_look and verdict.tone != "bad" and just_redeemed(last, at=clock.now())
    usual = till.find_usual_offer(certificate)
    choices = till.list_choices(certificate, usual)
    return render_template(
        "redemption/result.html",
        certificate=certificate,
        code_end="" if certificate.status == "void" else last_four(code_of(certificate)),
        verdict=verdict,
        may_take=verdict.may_redeem and done is None and not is_repeat,
        choices=choices,
        chosen=_chosen(choices),
        usual=usual,
        last=last,
        last_by=find_name(last.actor) if last is not None else "",
        done=done,
        is_repeat=is_repeat,
        request_key=form_key(),
        errors=_placed(errors or {}, verdict),
        typed={field: typed_in(field) for field in ("other_amount", "note", "reason")},
        **_undo_facts(last, done),
    )


def _undo_facts(last: LedgerEntry | None, done: LedgerEntry | None) -> dict[str, object]:
    """Return which redemption may be undone from here, for how many minutes, and whether that takes a reason."""
    undone = find_reversal(done.id) if done is not None and done.kind == "redeem" else None
    undoable = last if done is None else done if done.kind == "redeem" and undone is None else None
    is_own = undoable is not None and undoable.actor == f"staff:{current_user.id}"
    minutes = till.minutes_left(undoable) if is_own else 0
    return {
        "undone": undone,
        "undoable": undoable if minutes or has_role("manager") else None,
        "undo_minutes": minutes,
        "needs_reason": not minutes,
    }


def _chosen(choices: list[till.Choice]) -> str:
    """Return the choice that stands selected: what was chosen before, if it is still offered, else the first."""
    wanted = typed_in("amount")
    if wanted == "other" or typed_in("other_amount"):
        return "other"
    return wanted if wanted in (choice.amount for choice in choices) else choices[0].amount


def _placed(errors: dict[str, str], verdict: Verdict) -> dict[str, str]:
    """Return the errors with no place on the page for those whose field is not shown."""
    if not errors or verdict.may_redeem or "reason" in errors:
        return errors
    return {"": " ".join(errors.values())}
