"""The commands for staff accounts (`flask staff …`), for whoever looks after the shop: who works here, and as what."""

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from giftshop.delivery.addresses import suggest_address
from giftshop.errors import ShopError
from giftshop.foundation.database import db
from giftshop.foundation.terminal import one_sentence
from giftshop.staff import accounts
from giftshop.staff.rights import RANKS

staff = AppGroup("staff", help="Staff accounts.")

GIVEN = "with this password, then chooses another one; this one opens nothing else:"


@staff.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice([*RANKS]), required=True)
@click.option("--name", default="", help="As it should stand on screen.")
@one_sentence
def add(email: str, role: str, name: str) -> None:
    """Add a person who works here; prints the password for their first sign-in."""
    email = _ask_spelling(email)
    password = accounts.add_staff(email, role=role, name=name)
    db.session.commit()
    click.echo(f"{email} signs in as {role} and sets up a second factor {GIVEN}\n{password}")


def _ask_spelling(email: str) -> str:
    """Ask whether another address was meant than one that looks misspelt; where nobody can answer, only say so."""
    meant = suggest_address(email)
    if meant and sys.stdin.isatty():
        return meant if click.confirm(f"Did you mean {meant}?", default=True, err=True) else email
    if meant:
        click.echo(f"Did you mean {meant}? {email} is added as it was typed.", err=True)
    return email


@staff.command("new-password")
@click.argument("email")
@one_sentence
def new_password(email: str) -> None:
    """Give a person who forgot their password a new one for one sign-in; they are signed out everywhere."""
    password = accounts.give_password(accounts.get_staff(email))
    db.session.commit()
    click.echo(f"{email} signs in {GIVEN}\n{password}")


@staff.command("reset-mfa")
@click.argument("email")
@one_sentence
def reset_mfa(email: str) -> None:
    """Forget a person's second factor; they set up a new one at the next sign-in."""
    accounts.reset_second_factor(email)
    db.session.commit()
    click.echo(f"{email} sets up a new second factor at the next sign-in.")


@staff.command("disable")
@click.argument("email")
@one_sentence
def disable(email: str) -> None:
    """Let a person no longer sign in; they are signed out everywhere at once."""
    accounts.disable(email)
    db.session.commit()
    click.echo(f"{email} is signed out everywhere and cannot sign in any more.")


@staff.command("enable")
@click.argument("email")
@one_sentence
def enable(email: str) -> None:
    """Let a person sign in again who was disabled."""
    accounts.enable(email)
    db.session.commit()
    click.echo(f"{email} can sign in again.")


@staff.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice([*RANKS]))
@one_sentence
def role(email: str, role: str) -> None:
    """Give a person another role; they are signed out everywhere at once and sign in anew."""
    accounts.change_role(email, role=role)
    db.session.commit()
    click.echo(f"{email} is signed out everywhere and signs in as {role} from now on.")


@staff.command("code")
@click.argument("email")
@one_sentence
def code(email: str) -> None:
    """Show the second-step code of a sample account now (development only)."""
    if current_app.config["SHOP_SETTINGS"].is_production:
        raise ShopError("`flask staff code` is for development: a second factor belongs to one person's phone.")
    click.echo(accounts.code_now(email))
