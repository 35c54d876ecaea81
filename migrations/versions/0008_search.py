"""Index what is searched for: the words of names and addresses, and the ends of codes (filled by the clock).

And keep how long orders stay that nobody paid.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
words = sa.table("search_word", sa.column("id", big), sa.column("word", text))
keys = sa.table("search_key", sa.column("key", text), sa.column("word_id", big))
places = sa.table("search_place", sa.column("word_id", big), sa.column("gift_id", big))
BATCH = 1000


def upgrade() -> None:
    """Add the index, and put in it what stands."""
    op.create_table(
        "search_word",
        sa.Column("id", big, nullable=False),
        sa.Column("word", text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_word"),
        sa.UniqueConstraint("word", name="uq_search_word_word"),
    )
    op.create_table(
        "search_key",
        sa.Column("key", text, nullable=False),
        sa.Column("word_id", big, nullable=False),
        sa.ForeignKeyConstraint(["word_id"], ["search_word.id"], name="fk_search_key_word_id"),
        sa.PrimaryKeyConstraint("key", "word_id", name="pk_search_key"),
    )
    op.create_table(
        "search_place",
        sa.Column("word_id", big, nullable=False),
        sa.Column("gift_id", big, nullable=False),
        sa.ForeignKeyConstraint(["word_id"], ["search_word.id"], name="fk_search_place_word_id"),
        sa.ForeignKeyConstraint(["gift_id"], ["gift.id"], name="fk_search_place_gift_id"),
        sa.PrimaryKeyConstraint("word_id", "gift_id", name="pk_search_place"),
    )
    op.create_index("ix_search_key_word_id", "search_key", ["word_id"])
    op.create_index("ix_search_place_gift_id", "search_place", ["gift_id"])
    op.add_column("certificate", sa.Column("code_end_lookup", sa.LargeBinary()))
    op.create_index("ix_certificate_code_end_lookup", "certificate", ["code_end_lookup"])
    op.add_column("order", sa.Column("purged_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")))
    op.add_column("practice", sa.Column("unpaid_kept_days", sa.Integer(), nullable=False, server_default=sa.text("30")))
    fill()


def fill() -> None:
    """Find every gift by its words, some gifts at a time."""
    connection = op.get_bind()
    known: dict[str, int] = {}
    last = 0
    while gifts := connection.execute(GIFTS, {"last": last, "most": BATCH}).all():
        found = {row.id: words_of(row) for row in gifts}
        last = gifts[-1].id
        new = sorted(set().union(*found.values()) - known.keys())
        for number, word in enumerate(new, start=len(known) + 1):
            known[word] = number
        insert(connection, words, ({"id": known[word], "word": word} for word in new))
        insert(connection, keys, ({"key": key, "word_id": known[word]} for word in new for key in keys_of(word)))
        insert(
            connection,
            places,
            ({"word_id": known[word], "gift_id": gift_id} for gift_id, each in found.items() for word in each),
        )
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT setval('search_word_id_seq', :next, false)"), {"next": len(known) + 1})


GIFTS = sa.text(
    """SELECT gift.id, recipient_name, giver_name, recipient_email, buyer_email FROM gift
    JOIN "order" ON "order".id = gift.order_id WHERE gift.id > :last ORDER BY gift.id LIMIT :most"""
)


def insert(connection: sa.Connection, table: sa.TableClause, rows: Iterator[dict[str, object]]) -> None:
    """Write rows, some at a time."""
    while batch := list(islice(rows, BATCH)):
        connection.execute(sa.insert(table), batch)


# What follows is what orders/search_index.py did when this was written.
OTHERWISE = str.maketrans(
    {"ł": "l", "đ": "d", "ð": "d", "ø": "o", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n"}
)
ALSO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "đ": "dj", "ñ": "ny"})


def fold(text: str) -> list[str]:
    """Return a text's words without case and accents."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold().translate(OTHERWISE))
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.findall(r"[^\W_]+", re.sub(r"['’ʼ`´]", "", bare))


def words_of(row: sa.Row) -> set[str]:
    """Return the words by which a gift is found."""
    found: set[str] = set()
    for name in (row.recipient_name, row.giver_name):
        found.update(fold(name), fold(unicodedata.normalize("NFKC", name).casefold().translate(ALSO)))
    for address in filter(None, (row.recipient_email, row.buyer_email)):
        whole = unicodedata.normalize("NFKC", address).strip().casefold()[:200]
        found.update(fold(address.rpartition("@")[0]), [whole])
    return {word if "@" in word else word[:40] for word in found}


def keys_of(word: str) -> set[str]:
    """Return a word's ends, and what is left of it without any one letter."""
    if "@" in word:
        return {word}
    ends = {word[start : start + 20] for start in range(max(1, len(word) - (1 if word.isascii() else 0)))}
    if 4 <= len(word) <= 24:
        ends |= {"~" + word} | {"~" + word[:at] + word[at + 1 :] for at in range(len(word))}
    return ends
