"""The staff commands: they add people, change what they may do, and end their sign-ins at once."""

import pytest
from click.testing import Result
from flask import Flask

from giftshop.foundation.database import db
from giftshop.staff import accounts
from giftshop.staff.models import Staff
from tests.signing_in import browser, give_password, hire, signed_in

STRANGER = "nobody@practice.example"


def run(app: Flask, *words: str) -> Result:
    """Run `flask staff …`."""
    db.session.rollback()
    return app.test_cli_runner().invoke(args=["staff", *words])


def test_a_person_is_added_with_a_password_that_signs_in(app: Flask) -> None:
    said = run(app, "add", "Ann@Practice.example", "--role", "manager", "--name", "Ann")
    assert said.exit_code == 0
    assert "then chooses another one" in said.output
    password = said.output.split()[-1]
    assert give_password(browser(app), "ann@practice.example", password).location == "/staff/enrol"
    assert accounts.get_staff("ann@practice.example").password_was_given


def test_an_address_that_looks_misspelt_is_said_and_taken_as_it_was_typed(app: Flask) -> None:
    result = run(app, "add", "ana@gmial.com", "--role", "staff")
    assert result.exit_code == 0
    assert "Did you mean ana@gmail.com? ana@gmial.com is added as it was typed." in result.output
    assert accounts.get_staff("ana@gmial.com").email == "ana@gmial.com"


def test_a_new_password_is_printed_and_the_person_signed_out(app: Flask) -> None:
    desk = signed_in(app, hire("staff"))
    password = run(app, "new-password", "staff@practice.example").output.split()[-1]
    assert desk.get("/redeem").location == "/staff/login"
    assert give_password(browser(app), "staff@practice.example", password).location == "/staff/second-step"


def test_who_is_disabled_is_signed_out_at_once_and_stays_out_until_enabled(app: Flask) -> None:
    desk = signed_in(app, hire("staff"))
    assert run(app, "disable", "staff@practice.example").exit_code == 0
    assert desk.get("/redeem").location == "/staff/login"
    assert give_password(browser(app), "staff@practice.example").status_code == 422
    assert run(app, "enable", "staff@practice.example").exit_code == 0
    assert desk.get("/redeem").location == "/staff/login"
    assert give_password(browser(app), "staff@practice.example").location == "/staff/second-step"


def test_another_role_counts_from_the_next_sign_in_which_is_at_once(app: Flask) -> None:
    manager = hire("manager")
    office = signed_in(app, manager)
    assert office.get("/office/").status_code == 200
    assert run(app, "role", "manager@practice.example", "staff").exit_code == 0
    assert office.get("/office/").location == "/staff/login"
    assert signed_in(app, manager).get("/office/").status_code == 403


def test_a_lost_phone_is_forgotten(app: Flask) -> None:
    desk = signed_in(app, hire("staff"))
    assert run(app, "reset-mfa", "staff@practice.example").exit_code == 0
    assert desk.get("/redeem").location == "/staff/login"
    assert give_password(browser(app), "staff@practice.example").location == "/staff/enrol"


@pytest.mark.parametrize("words", [("disable",), ("role", "staff"), ("role", "manager")])
def test_the_last_owner_stays_until_there_is_another(app: Flask, words: tuple[str, ...]) -> None:
    owner, act = hire("owner"), (words[0], "owner@practice.example", *words[1:])
    office = signed_in(app, owner)
    said = run(app, *act)
    assert (said.exit_code, "Nobody else is an owner" in said.output) == (1, True)
    assert office.get("/office/").status_code == 200
    assert run(app, "role", "owner@practice.example", "owner").exit_code == 0
    run(app, "add", "ann@practice.example", "--role", "owner")
    run(app, "disable", "ann@practice.example")
    assert run(app, *act).exit_code == 1  # she cannot sign in
    run(app, "enable", "ann@practice.example")
    assert run(app, *act).exit_code == 0


WRONG = {
    "nobody to disable": ("disable", STRANGER),
    "nobody to enable": ("enable", STRANGER),
    "nobody to give a role": ("role", STRANGER, "owner"),
    "nobody to give a password": ("new-password", STRANGER),
    "a role there is not": ("role", "staff@practice.example", "king"),
    "there already": ("add", "staff@practice.example", "--role", "owner"),
    "no address": ("add", "nobody", "--role", "owner"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_one_sentence_and_changes_nothing(app: Flask, mistake: str) -> None:
    hire("staff")
    said = run(app, *WRONG[mistake])
    assert said.exit_code != 0
    assert "Traceback" not in said.output
    staff = db.session.query(Staff).one()
    assert (staff.active, [role.name for role in staff.roles]) == (True, ["staff"])
