"""The currencies Stripe takes, in which units and between which sums, and how people write them; see currencies.json.

No locale library's number of decimals is used for money: it changes with its edition, and a stored sum would be read
as a hundred times what it is. Documentation that names no least or most for a currency gives Stripe's general ones.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("currencies.json")
_MOST_FIGURES = 8
"""What Stripe takes of any currency, unless its documentation names more: 99999999 minor units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """One currency: `decimals` is how many of them a stored sum has, as at Stripe, whatever people write.

    `step_cents` is what every charge must be a multiple of. `is_whole`: people leave zero decimals out. `sign` is
    written in its `places` (after the figures, where `stands_after`), `abroad` elsewhere; `also` is read as well.
    `zero` is the first figure of the script that people write there beside our own.
    """

    code: str
    decimals: int
    step_cents: int
    is_whole: bool
    least_cents: int
    most_cents: int
    sign: str
    abroad: str
    stands_after: bool
    also: tuple[str, ...]
    places: frozenset[str]
    zero: str

    @property
    def fractions(self) -> int:
        """How many decimals people may type: none where only whole units are counted."""
        return 0 if self.step_cents == 10**self.decimals else self.decimals

    @property
    def figures(self) -> int:
        """How many figures an amount may have before its decimals."""
        return max(9, len(str(self.most_cents)) - self.decimals)


@functools.cache
def find_currency(code: str) -> Currency | None:
    """Return the currency with these three capital letters, or None where Stripe does not take it."""
    facts = _data()["currencies"].get(code)
    return None if facts is None else _build(code, facts)


@functools.cache
def get_currency(code: str) -> Currency:
    """Return a currency; what Stripe does not list (any more) counts two decimals, as all do "unless specified"."""
    return find_currency(code.upper()) or _build(code.upper(), {})


def list_codes() -> list[str]:
    """Return the letters of all currencies that can be set up."""
    return list(_data()["currencies"])


def as_of() -> str:
    """Return the day of the documentation that the table was taken from ("2026-07-10")."""
    day: str = _data()["as_of"]
    return day


@functools.cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return loaded


def _build(code: str, facts: dict[str, Any]) -> Currency:
    decimals, step = facts.get("decimals", 2), facts.get("step", 1)
    half_a_unit = max(500 if decimals == 3 else 50, step)
    return Currency(
        code=code,
        decimals=decimals,
        step_cents=step,
        is_whole=decimals == 0 or facts.get("whole", False),
        least_cents=facts.get("least", half_a_unit),
        most_cents=facts.get("most", 10**_MOST_FIGURES - 1) // step * step,
        sign=facts.get("sign", code),
        abroad=facts.get("abroad", code),
        stands_after=facts.get("after", False),
        also=tuple(facts.get("also", ())),
        places=frozenset(facts.get("places", "").split()),
        zero=facts.get("zero", "0"),
    )
