"""The index of the one search: which words stand in the names and addresses of each gift, whoever writes them.

A word is kept folded: without case, accents or the spelling that only one alphabet has. Beside it stand its ends
("ovacevic", "vacevic", …), so that any part of it is found by how it begins, and what is left of it when any one letter
is struck out: two words differ by one slip exactly when they share one of these. Nothing of a code is ever here.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, UOWTransaction, mapped_column

from giftshop.foundation.database import Base, BigId, ShopSession
from giftshop.orders.models import Gift, Order

LONGEST_WORD, LONGEST_KEY, LONGEST_SLIP = 40, 20, 24
SLIP = "~"
"""Before a key that is a word with one letter struck out: no folded word has this sign."""
_WRITTEN_OTHERWISE = str.maketrans(
    {"ł": "l", "đ": "d", "ð": "d", "ø": "o", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n"}
)
_ALSO_WRITTEN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "đ": "dj", "ñ": "ny"})
_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts by its bytes, as SQLite does


class SearchWord(Base):
    """A folded word, or a whole address, that stands somewhere."""

    __tablename__ = "search_word"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    word: Mapped[str] = mapped_column(_Text, unique=True)


class SearchKey(Base):
    """One way to a word: the word itself, one of its ends, or the word with one letter struck out."""

    __tablename__ = "search_key"

    key: Mapped[str] = mapped_column(_Text, primary_key=True)
    word_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("search_word.id"), primary_key=True, index=True)


class SearchPlace(Base):
    """That a word stands in a gift: in a name, or in an address of who bought or gets it."""

    __tablename__ = "search_place"

    word_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("search_word.id"), primary_key=True)
    gift_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("gift.id"), primary_key=True, index=True)


def fold(text: str) -> list[str]:
    """Return the words of a text, folded, in its order."""
    return _WORD.findall(_folded(unicodedata.normalize("NFKC", text).casefold().translate(_WRITTEN_OTHERWISE)))


def fold_address(address: str) -> str:
    """Return a whole e-mail address as it is kept."""
    return unicodedata.normalize("NFKC", address).strip().casefold()[:200]


def words_of(names: Iterable[str], addresses: Iterable[str]) -> set[str]:
    """Return every word under which these names and addresses are found: both spellings of "Müller", "Đorđević"."""
    words: set[str] = set()
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold()
        words.update(fold(name), fold(plain.translate(_ALSO_WRITTEN)))
    for address in filter(None, addresses):
        words.update(fold(address.rpartition("@")[0]), [fold_address(address)])
    return {word if "@" in word else word[:LONGEST_WORD] for word in words}


def keys_of(word: str) -> set[str]:
    """Return the ways to a word; a whole address has only itself."""
    if "@" in word:
        return {word}
    shortest = 2 if word.isascii() else 1
    ends = {word[start : start + LONGEST_KEY] for start in range(max(1, len(word) - shortest + 1))}
    return ends | slips_of(word)


def slips_of(word: str) -> set[str]:
    """Return a word with each of its letters struck out, and whole: what a word with one slip in it shares with it."""
    if not 4 <= len(word) <= LONGEST_SLIP:
        return set()
    return {SLIP + word} | {SLIP + word[:at] + word[at + 1 :] for at in range(len(word))}


def index_gifts(connection: sa.Connection, gifts: Sequence[tuple[int, set[str]]]) -> None:
    """Let each gift, given by its id, be found by these words alone."""
    connection.execute(sa.delete(SearchPlace).where(SearchPlace.gift_id.in_([gift_id for gift_id, _ in gifts])))
    word_ids = _keep_words(connection, sorted(set().union(*(words for _, words in gifts))))
    places = [{"gift_id": gift_id, "word_id": word_ids[word]} for gift_id, words in gifts for word in sorted(words)]
    if places:
        connection.execute(sa.insert(SearchPlace), places)


def forget_gifts(connection: sa.Connection, gift_ids: Sequence[int]) -> None:
    """Let these gifts be found no more, before they are deleted."""
    connection.execute(sa.delete(SearchPlace).where(SearchPlace.gift_id.in_(gift_ids)))


def forget_words(connection: sa.Connection, *, most: int) -> None:
    """Delete some of the words that stand nowhere any more: a name that was erased is not kept here.

    They are locked before they are judged: whoever puts such a word somewhere meanwhile has it locked, or waits.
    """
    is_nowhere = ~sa.exists().where(SearchPlace.word_id == SearchWord.id)
    unused = sa.select(SearchWord.id).where(is_nowhere).order_by(SearchWord.word).limit(most)
    locked = list(connection.scalars(unused.with_for_update(skip_locked=True)))
    ids = list(connection.scalars(sa.select(SearchWord.id).where(SearchWord.id.in_(locked), is_nowhere)))
    connection.execute(sa.delete(SearchKey).where(SearchKey.word_id.in_(ids)))
    connection.execute(sa.delete(SearchWord).where(SearchWord.id.in_(ids)))


def follow(_session: Any, _context: UOWTransaction) -> None:
    """Index what was just written: gifts that are new or have other names or addresses, and all of such an order."""
    session: ShopSession = _session
    changed = {each for each in session.new | session.dirty if isinstance(each, Gift)}
    for order in (each for each in session.dirty if isinstance(each, Order)):
        if sa.inspect(order).attrs.buyer_email.history.has_changes():
            changed.update(order.gifts)
    if changed := {gift for gift in changed if gift not in session.deleted}:
        gifts = sorted(changed, key=lambda gift: gift.id)
        index_gifts(session.connection(), [(gift.id, words_of(*_texts_of(gift))) for gift in gifts])


sa.event.listen(ShopSession, "after_flush", follow)


def _texts_of(gift: Gift) -> tuple[list[str], list[str]]:
    return [gift.recipient_name, gift.giver_name], [gift.recipient_email, gift.order.buyer_email]


def _keep_words(connection: sa.Connection, words: list[str]) -> dict[str, int]:
    """Return the id of each word, making those that are missing.

    Words are made in one order, so that two purchases never wait for each other; one that `forget_words` takes away
    meanwhile is made once more.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    found = _lock_words(connection, words)
    while missing := [word for word in words if word not in found]:
        connection.execute(insert(SearchWord).on_conflict_do_nothing(), [{"word": word} for word in missing])
        made = _lock_words(connection, missing)
        keys = [{"key": key, "word_id": made[word]} for word in made for key in sorted(keys_of(word))]
        connection.execute(insert(SearchKey).on_conflict_do_nothing(), keys)
        found |= made
    return found


def _lock_words(connection: sa.Connection, words: list[str]) -> dict[str, int]:
    """Return the words that there are, which nobody deletes before this transaction ends."""
    query = sa.select(SearchWord.word, SearchWord.id).where(SearchWord.word.in_(words))
    return {row.word: row.id for row in connection.execute(query.with_for_update(read=True, key_share=True))}


_WORD = re.compile(r"[^\W_]+")


def _folded(text: str) -> str:
    """Return a text without the marks above and below its letters; an apostrophe joins ("o'brien" is "obrien")."""
    bare = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    return re.sub(r"['’ʼ`´]", "", bare)
