"""Negative controls: something is broken on purpose in the newer version, and the rehearsal must name it."""

from collections.abc import Callable
from pathlib import Path

from tests.upgrade.base import RehearsalError
from tests.upgrade.books import Books

PLANTS = {
    "word": "a word of the order's page in the office is another one",
    "value": "the migration loses why money was paid back",
    "message": "a word of the receipt is another one",
    "job": "the migration loses a job that waits",
}
_WORDS = {
    "word": ("templates/office/order.html", "Everything that happened", "All that happened"),
    "message": ("templates/emails/receipt.txt", "Total paid", "Sum paid"),
}


def plant_in_program(plants: list[str], root: Path) -> None:
    """Change words in a copy of the newer program. Raises RehearsalError when one is not there any more."""
    for name, word, other in (_WORDS[plant] for plant in plants if plant in _WORDS):
        text = (root / name).read_text()
        if word not in text:
            raise RehearsalError(f"{name} says “{word}” no longer: choose another word in tests/upgrade/plants.py.")
        (root / name).write_text(text.replace(word, other))


def plant_in_books(plants: list[str], books: Books) -> None:
    """Lose something while a database is migrated."""
    losses: dict[str, Callable[[], None]] = {
        "value": lambda: books.change("UPDATE refund SET reason = ''"),
        "job": lambda: books.change(f"DELETE FROM {books.jobs} WHERE workflow_uuid = :key", key=_waiting_job(books)),
    }
    for plant in plants:
        losses.get(plant, lambda: None)()


def _waiting_job(books: Books) -> str:
    """Return a job of a message that is to go out tomorrow."""
    message = books.one("SELECT id FROM delivery WHERE state = 'scheduled' AND to_address = 'cvita@example.com'")
    return f"deliver:{message}:0"
