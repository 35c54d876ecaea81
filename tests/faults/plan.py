"""The plan of a long run: who buys what and does what with it, and what breaks when; the same seed, the same plan."""

import random
from dataclasses import dataclass
from typing import Literal

from tests.faults.failpoints import ANSWERS, IN_WORKERS, STEPS

ActKind = Literal["redeem", "at once", "undo", "refund", "dispute"]
_RETURNS = ("pay", "pay_no_return", "abandon", "forge", "decline")
_CHANCES = (82, 8, 3, 4, 3)
_PURCHASES_PER_TROUBLE = 3


@dataclass(frozen=True, slots=True)
class Act:
    """Something done with a certificate; `amounts` in cents, `ending` is how a dispute ends (empty: not yet)."""

    kind: ActKind
    amounts: tuple[int, ...] = ()
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """One purchase from the builder to the last act."""

    number: int
    amount_cents: int
    payment: str
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that breaks once so many purchases have been begun."""

    after: int
    kind: str
    point: str = ""
    action: str = ""
    figure: float = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it."""

    seed: int
    lives: tuple[Life, ...]
    troubles: tuple[Trouble, ...]


def make_plan(seed: int, purchases: int, *, database: str) -> Plan:
    """Return the plan of this seed."""
    chance = random.Random(f"{seed} {purchases} {database}")
    lives = tuple(_life(chance, number) for number in range(purchases))
    moments = sorted(chance.randrange(1, purchases) for _ in range(purchases // _PURCHASES_PER_TROUBLE))
    return Plan(seed, lives, tuple(_trouble(chance, moment, database) for moment in moments))


def _life(chance: random.Random, number: int) -> Life:
    amount_cents = chance.randrange(25_00, 300_00, 5_00)
    (payment,) = chance.choices(_RETURNS, _CHANCES)
    return Life(number, amount_cents, payment, _acts(chance, amount_cents))


def _acts(chance: random.Random, amount_cents: int) -> tuple[Act, ...]:
    """Two redemptions for each purchase in the mean; then perhaps an undo, a refund or a dispute."""
    parts = [chance.randrange(1_00, amount_cents // 2, 25) for _ in range(chance.randrange(0, 4))]
    kind: ActKind = "at once" if len(parts) > 1 and chance.random() < 0.4 else "redeem"
    acts = [Act(kind, tuple(parts))] if parts else []
    if parts and chance.random() < 0.3:
        acts.append(Act("undo"))
    last = chance.random()
    if last < 0.2:
        acts.append(Act("refund", (chance.choice((0, 5_00, 10_00)),)))  # 0: all that is left
    elif last < 0.28:
        acts.append(Act("dispute", ending=chance.choice(("won", "lost", ""))))
    return tuple(acts)


def _trouble(chance: random.Random, after: int, database: str) -> Trouble:
    kinds = {
        "kill a web process": 14,
        "kill a worker": 14,
        "kill all web processes": 3,
        "failpoint": 40,
        "Stripe": 10,
        "webhooks": 6,
        "mail": 8,
        "clock": 2,
        "disk full" if database == "sqlite" else "database crash": 3,
    }
    (kind,) = chance.choices(list(kinds), list(kinds.values()))
    if kind == "failpoint":
        return _failpoint(chance, after)
    choices = {
        "Stripe": ("500", "503", "429", "timeout", "drop_before", "drop_after", "html502"),
        "webhooks": ("drop", "dup", "delay", "reorder"),
        "mail": ("refuse", "later", "hang up after DATA", "slow"),
    }
    return Trouble(after, kind, action=chance.choice(choices.get(kind, ("",))), figure=round(chance.uniform(0.2, 2), 2))


def _failpoint(chance: random.Random, after: int) -> Trouble:
    step = chance.choice(STEPS)
    action = chance.choices(("kill", "raise", f"sleep {chance.uniform(0.5, 3):.1f}"), (7, 2, 1))[0]
    if action == "raise" and (step in ANSWERS or step in IN_WORKERS):
        action = "kill"  # an answer cannot fail to be made any more; a worker's troubles are the mail server's
    return Trouble(after, "failpoint", f"{step}.{chance.choice(('before', 'after'))}", action)
