"""The outside check finds each kind of wrong history, and nothing in a right one."""

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.checker import Exchange, Finding, find_contradictions

FACE = 100


def exchange(key: str, version: int = 0, balance: int = 0, *, at: float, **changes: Any) -> Exchange:
    """A redemption of 10 that was sent at `at` and answered half a second later."""
    values: dict[str, Any] = {
        "certificate": "c",
        "act": "redeem",
        "amount_cents": 10,
        "answered_at": at + 0.5,
        "outcome": "accepted" if version else "unknown",
        "entry": version,
    }
    return Exchange(key=key, sent_at=at, version=version, balance_after=balance, **{**values, **changes})


def check(*history: Exchange, others: int = 0) -> list[Finding]:
    return find_contradictions(history, face_cents={"c": FACE}, entries_of_others={"c": others})


RIGHT = [
    exchange("a", 2, 90, at=1),
    exchange("b", 3, 80, at=2),
    exchange("u", 4, 90, at=3, act="undo"),
    exchange("c", 5, 60, at=4, amount_cents=30),
]
"""100 − 10 − 10 + 10 − 30."""

GOOD = {
    "one after the other": RIGHT,
    "in any order of records": RIGHT[::-1],
    "nothing at all": [],
    "a refusal of more than there is": [*RIGHT, exchange("r", at=5, outcome="refused", amount_cents=61)],
    "a refusal beside what may have come first": [
        *RIGHT,
        exchange("r", at=5, outcome="refused"),
        exchange("d", 6, 5, at=5.2, amount_cents=55),
    ],
    "a refusal beside an act whose end is unknown": [exchange("x", at=0), exchange("r", at=5, outcome="refused")],
    "a copy gets the first answer": [*RIGHT, exchange("a", 2, 90, at=9)],
    "a lost answer is heard at the second try": [exchange("a", at=0), *RIGHT],
    "a lost answer that had an effect": [RIGHT[0], exchange("x", at=2), exchange("b", 4, 70, at=3)],
    "a lost answer that had none": [RIGHT[0], exchange("x", at=2), RIGHT[1]],
    "at once, in any order": [exchange("a", 3, 80, at=1), exchange("b", 2, 90, at=1.2)],
    "the same moment is not before": [exchange("a", 3, 80, at=1), exchange("b", 2, 90, at=1.5)],
}

BAD = {
    "a version twice": ("a version twice", [RIGHT[0], exchange("b", 2, 90, at=1)]),
    "the version of the issue": ("a version twice", [exchange("a", 1, 90, at=1)]),
    "a version missing": ("a version missing", [RIGHT[0], exchange("b", 4, 80, at=2)]),
    "more missing than unknown": (
        "a version missing",
        [RIGHT[0], exchange("x", at=2), exchange("b", 5, 60, at=3)],
    ),
    "a balance that does not follow": ("a balance that does not follow", [RIGHT[0], exchange("b", 3, 81, at=2)]),
    "the first balance": ("a balance that does not follow", [exchange("a", 2, 91, at=1)]),
    "an undo that takes": ("a balance that does not follow", [RIGHT[0], exchange("u", 3, 80, at=2, act="undo")]),
    "a gap nobody's amount explains": (
        "a balance that does not follow",
        [RIGHT[0], exchange("x", at=2, amount_cents=25), exchange("b", 4, 70, at=3)],
    ),
    "below nothing": (
        "a balance that does not follow",
        [exchange("a", 2, -10, at=1, amount_cents=110)],
    ),
    "an answer from the past": (
        "an answer from the past",
        [exchange("a", 3, 80, at=1), exchange("b", 2, 90, at=2)],
    ),
    "one key accepted twice": ("one key, two effects", [RIGHT[0], exchange("a", 3, 80, at=2)]),
    "one key accepted and refused": (
        "one key, two effects",
        [RIGHT[0], exchange("a", at=2, outcome="refused")],
    ),
    "a refusal of what there was": (
        "a refusal that nothing explains",
        [*RIGHT, exchange("r", at=5, outcome="refused", amount_cents=60)],
    ),
    "a refusal of what there was before anything": (
        "a refusal that nothing explains",
        [exchange("r", at=0, outcome="refused", amount_cents=FACE), *RIGHT],
    ),
    "another balance in the copy": ("one key, two effects", [RIGHT[0], exchange("a", 2, 89, at=2, entry=2)]),
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_found_in_a_right_history(name: str) -> None:
    assert check(*GOOD[name]) == []


@pytest.mark.parametrize("name", BAD)
def test_a_broken_rule_is_found_and_named(name: str) -> None:
    rule, history = BAD[name]
    assert rule in {finding.check for finding in check(*history)}


def test_entries_of_others_may_fill_gaps_and_move_the_balance() -> None:
    history = [RIGHT[0], exchange("b", 5, 40, at=2)]
    assert check(*history, others=2) == []
    assert {finding.check for finding in check(*history, others=1)} == {"a version missing"}


def test_certificates_do_not_mix() -> None:
    other = [replace(each, certificate="d") for each in RIGHT]
    faces = {"c": FACE, "d": FACE}
    assert find_contradictions([*RIGHT, *other], face_cents=faces, entries_of_others={}) == []


def test_a_long_line_with_many_clients_holds_until_one_answer_is_changed() -> None:
    chance, history, balance = random.Random(1), [], 10**6
    for number in range(20_000):
        balance -= 10
        at = number + chance.random() * 3
        history.append(exchange(f"k{number}", number + 2, balance, at=at, answered_at=number + 4))
    assert find_contradictions(history, face_cents={"c": 10**6}, entries_of_others={}) == []
    place = chance.randrange(len(history))
    history[place] = replace(history[place], version=history[place - 9].version)
    assert find_contradictions(history, face_cents={"c": 10**6}, entries_of_others={})
