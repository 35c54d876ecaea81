"""Key marks: by what this database's codes are found and sealed with, so that a start with other secrets is refused.

With another pepper or other code keys every page would answer, and every certificate would be "not found". A mark opens
nothing: it is the shop's own public name under a pepper, or sealed with a key (decision 30).
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop import clock
from giftshop.certificates import encryption
from giftshop.errors import WrongKeysError
from giftshop.foundation.database import Base, BigId, Moment, db
from giftshop.ledger.models import Certificate

PEPPER, CODE_KEY = "GIFTSHOP_CODE_PEPPER", "GIFTSHOP_CODE_KEYS"


class KeyMark(Base):
    """One secret that this database was written with; `secret` is the setting it belongs to."""

    __tablename__ = "key_mark"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    secret: Mapped[str] = mapped_column(sa.Text)
    mark: Mapped[bytes] = mapped_column(sa.LargeBinary)
    made_at: Mapped[datetime] = mapped_column(Moment)


def compare_keys(instance_id: str) -> None:
    """Refuse secrets that are not those this database was made with. Raises WrongKeysError, which names them.

    A database from before the marks is judged by what it holds.
    """
    wrong = _list_wrong(instance_id, list(db.session.scalars(sa.select(KeyMark))))
    if wrong:
        raise WrongKeysError(
            f"{' and '.join(wrong)}: not what this database was made with. Its certificates could not be found or"
            " opened. Set what the shop had before; a new one goes in front of the old one, with a comma between."
        )


def mark_keys(instance_id: str) -> None:
    """Keep a mark of every secret of this process that has none yet, in the caller's transaction.

    Raises WrongKeysError: what is there already was made with others.
    """
    compare_keys(instance_id)
    marks = list(db.session.scalars(sa.select(KeyMark)))
    known = {bytes(each.mark) for each in marks if each.secret == PEPPER}
    db.session.add_all(_mark(PEPPER, value) for value in encryption.lookups(_name(instance_id)) if value not in known)
    sealed_with = {encryption.key_id(bytes(each.mark)) for each in marks if each.secret == CODE_KEY}
    db.session.add_all(
        _mark(CODE_KEY, sealed)
        for sealed in encryption.seal_with_each(instance_id, _name(instance_id))
        if encryption.key_id(sealed) not in sealed_with
    )


def _mark(secret: str, mark: bytes) -> KeyMark:
    return KeyMark(secret=secret, mark=mark, made_at=clock.now())


def _name(instance_id: str) -> str:
    return f"key mark of {instance_id}"


def _list_wrong(instance_id: str, marks: list[KeyMark]) -> list[str]:
    if not marks:
        return _list_wrong_for_certificates()
    here = encryption.lookups(_name(instance_id))
    is_found = all(bytes(each.mark) in here for each in marks if each.secret == PEPPER)
    is_open = all(_opens(bytes(each.mark), _name(instance_id)) for each in marks if each.secret == CODE_KEY)
    return [name for name, is_right in ((PEPPER, is_found), (CODE_KEY, is_open)) if not is_right]


def _list_wrong_for_certificates() -> list[str]:
    """Try the first and the last code that was sealed with each key: the key's id is how a sealed code begins."""
    begin = sa.func.substr(Certificate.code_enc, 1, encryption.KEY_ID_BYTES)
    ends = sa.select(sa.func.min(Certificate.id), sa.func.max(Certificate.id)).group_by(begin)
    ids = {number for row in db.session.execute(ends) for number in row}
    found = list(db.session.scalars(sa.select(Certificate).where(Certificate.id.in_(ids))))
    if not all(_opens(bytes(each.code_enc), each.public_id) for each in found):
        return [CODE_KEY]
    codes = {each.id: encryption.open_sealed(bytes(each.code_enc), each.public_id) for each in found}
    is_found = all(bytes(each.code_lookup) in encryption.lookups(codes[each.id]) for each in found)
    return [] if is_found else [PEPPER]


def _opens(sealed: bytes, binding: str) -> bool:
    try:
        encryption.open_sealed(sealed, binding)
    except encryption.SealBrokenError:
        return False
    return True
