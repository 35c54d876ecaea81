"""Notes on orders: a few words for colleagues, apart from the activity log, so that they can be blanked."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop.certificates import reasons
from giftshop.errors import NoteRefusedError, ShopError
from giftshop.foundation.database import Base, BigId, Moment, db
from giftshop.ledger.idempotency import Answer, answer_once


class NoteEmptyError(NoteRefusedError):
    """Write a few words first."""


class NoteNotFoundError(ShopError):
    """There is no such note."""


class OrderNote(Base):
    """What somebody wrote beside an order; once blanked only who, when and that it was there is left."""

    __tablename__ = "order_note"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order.id"), index=True)
    text: Mapped[str] = mapped_column(sa.Text)
    actor: Mapped[str] = mapped_column(sa.Text)
    written_at: Mapped[datetime] = mapped_column(Moment)
    blanked_at: Mapped[datetime | None] = mapped_column(Moment)
    blanked_by: Mapped[str] = mapped_column(sa.Text, default="")


def write_note(order_id: int, typed: str, *, actor: str, key: str, at: datetime) -> Answer:
    """Keep a note once, however often its form arrives. Raises NoteRefusedError or a subclass that says why.

    The answer that is kept for ever names the note, not its words: they can be blanked.
    """
    text = reasons.read_note(typed)
    if not text:
        raise NoteEmptyError

    def act() -> dict[str, object]:
        note = OrderNote(order_id=order_id, text=text, actor=actor, written_at=at)
        db.session.add(note)
        db.session.flush()
        return {"note": note.id}

    return answer_once(scope=f"note:{actor}", key=key, body={"order": order_id, "text": text}, act=act)


def blank_note(note_id: int, *, actor: str, at: datetime) -> OrderNote:
    """Forget the words of a note, for good. Raises NoteNotFoundError."""
    note = db.session.get(OrderNote, note_id)
    if note is None:
        raise NoteNotFoundError
    if note.blanked_at is None:
        note.text, note.blanked_at, note.blanked_by = "", at, actor
    return note


def list_notes(order_id: int) -> list[OrderNote]:
    """Return the notes on an order, oldest first."""
    return list(db.session.scalars(sa.select(OrderNote).where(OrderNote.order_id == order_id).order_by(OrderNote.id)))
