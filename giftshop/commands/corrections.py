"""The office's acts as commands, for whoever looks after the shop: accept, refund, freeze, unfreeze, void, reissue.

Each names the person it is done for, who must have the right to do it.
"""

from collections.abc import Callable

import click
from flask import current_app

from giftshop.catalog.practice import get_practice
from giftshop.certificates.look_up import get_certificate
from giftshop.certificates.reasons import read_reason
from giftshop.certificates.requests import Asked
from giftshop.errors import InvalidAmountError, ShopError
from giftshop.foundation.database import db
from giftshop.foundation.terminal import one_sentence
from giftshop.ledger.idempotency import Answer, new_request_key
from giftshop.ledger.models import Certificate
from giftshop.money import format_amount, parse_amount
from giftshop.office.acts import ACTS
from giftshop.office.orders import STATES
from giftshop.office.refund import tell_refund
from giftshop.orders.look_up import get_order
from giftshop.orders.models import Order
from giftshop.orders.search import find_exactly
from giftshop.orders.states import OrderState
from giftshop.reconciliation import review
from giftshop.refunds.requests import ask_refund, list_refundable, pursue, refund_limit
from giftshop.staff.accounts import get_staff
from giftshop.staff.models import Staff
from giftshop.staff.rights import RIGHTS, may_as

Command = Callable[..., None]


class NotAllowedError(ShopError):
    """This person may not do that."""


class NoSuchOrderError(ShopError):
    """There is no such order. Give its number, like G-1042, or its id at Stripe."""


class CertificateNotNamedError(ShopError):
    """Name the certificate with --certificate. Only an order in review is paid back as a whole."""


def _why_and_who(command: Command) -> Command:
    """Give a command the reason and the person that every act wants."""
    reason = click.option("--reason", required=True, help="Why, in at most 40 characters; it is kept for ever.")
    actor = click.option("--actor", "email", required=True, help="The e-mail address of the person it is done for.")
    return reason(actor(command))


@click.command("refund")
@click.argument("number")
@click.option("--certificate", "public_id", default="", help="Its public id; none for an order in review.")
@click.option("--amount", default="all", help="Like 12.50, or `all` for all that can be paid back.")
@_why_and_who
@one_sentence
def refund(number: str, public_id: str, amount: str, reason: str, email: str) -> None:
    """Pay a certificate of an order back to the card that paid, or the whole payment of an order in review."""
    person, order = _person(email, "refund"), _order(number)
    if not public_id:
        _pay_back(person, order, reason)
        return
    certificate = get_certificate(public_id)
    limit_cents = _limit(person)
    amount_cents = _read_amount(amount, order, certificate)
    asked = _asked(person, reason)
    answer = ask_refund(order.id, certificate, amount_cents, asked, limit_cents=limit_cents)
    _commit(answer)
    made = pursue(str(answer.facts["refund"]), current_app.extensions["stripe_gateway"])
    tone, word, sentence = tell_refund(made)
    if tone == "bad":
        raise ShopError(f"{word}. {sentence}")
    click.echo(f"{word}. {sentence}")


@click.command("accept")
@click.argument("number")
@_why_and_who
@one_sentence
def accept(number: str, reason: str, email: str) -> None:
    """Issue the certificates of an order in review, because its payment is good after all."""
    person, order = _person(email, "accept"), _order(number)
    review.accept_order(order.id, _asked(person, reason), current_app.extensions["stripe_gateway"])
    click.echo(f"Order {order.number} is {order.state}; its certificates are on their way.")


def _pay_back(person: Staff, order: Order, reason: str) -> None:
    if order.state != OrderState.IN_REVIEW:
        raise CertificateNotNamedError
    asked, gateway = _asked(person, reason), current_app.extensions["stripe_gateway"]
    review.pay_back(order.id, asked, gateway, limit_cents=_limit(person))
    click.echo(f"Order {order.number} is {STATES[OrderState(order.state)][1].lower()}.")


def _limit(person: Staff) -> int | None:
    return refund_limit(get_practice(), is_owner=may_as(person, "owner"))


def _act(name: str) -> click.Command:
    @click.command(name, help=f"{ACTS[name].title}.")
    @click.argument("public_id")
    @_why_and_who
    @one_sentence
    def command(public_id: str, reason: str, email: str) -> None:
        person, certificate = _person(email, name), get_certificate(public_id)
        _commit(ACTS[name].run(certificate, _asked(person, reason)))
        left = format_amount(certificate.balance_cents, certificate.currency)
        click.echo(f"Certificate {public_id} is {certificate.status}, with {left} on it.")

    return command


OF_ORDERS: list[click.Command] = [accept, refund]
OF_CERTIFICATES: list[click.Command] = [_act(name) for name in ACTS]


def _person(email: str, act: str) -> Staff:
    """Return the person with this address. Raises StaffNotFoundError, NotAllowedError."""
    person = get_staff(email)
    if not (person.active and may_as(person, RIGHTS[f"office.{act}"])):
        raise NotAllowedError
    return person


def _order(number: str) -> Order:
    order_id = find_exactly(number)
    if order_id is None:
        raise NoSuchOrderError
    return get_order(order_id)


def _read_amount(typed: str, order: Order, certificate: Certificate) -> int:
    if typed == "all":
        return next((each.most_cents for each in list_refundable(order) if each.certificate.id == certificate.id), 0)
    amount_cents = parse_amount(typed, certificate.currency)
    if amount_cents <= 0:
        raise InvalidAmountError
    return amount_cents


def _asked(person: Staff, reason: str) -> Asked:
    return Asked(actor=f"staff:{person.id}", reason=read_reason(reason), key=new_request_key())


def _commit(answer: Answer) -> None:
    """Keep what was done, or what was refused and why, and leave with the refusal."""
    db.session.commit()
    if answer.refusal:
        raise ShopError(answer.message)
