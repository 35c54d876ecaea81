"""How long the one search takes among many certificates, beside reading every name.

`python -m bench.search [CERTIFICATES]`; 100,000, each with four entries, unless said otherwise.
"""

import random
import sys
import time

import sqlalchemy as sa

from bench.books import build_books
from bench.databases import fresh_shops
from bench.report import describe_machine, print_table, show_progress
from giftshop.foundation.database import db, only_reads
from giftshop.orders import search_index
from giftshop.orders.finding import Wanted, find_orders
from giftshop.orders.models import Gift, Order
from giftshop.orders.search import search_certificates

ENTRIES, AT_ONCE, RUNS = 4, 1_000, 5
STARTS = "Ka Ma Jo Že Lu Đo Ste Vla Mi Ra Bo Ni Pe To Zo Va Li Sa Da Ro Ha Fe Gi Cha Be An El Os Ur Iv".split()  # noqa: SIM905
MIDDLES = "va ri se no ta li ko me du ra bi to ne sa lo vi ga pe ša ło".split()  # noqa: SIM905
ENDS = "č n s vić ska m r l nen sen ova ez ini berg son man ak ó k d".split()  # noqa: SIM905
LOOKED_FOR = {
    "a name": "kovacevic",
    "a name that many have": "ana",
    "two letters": "an",
    "a part of a name": "vacev",
    "two names": "ana kovacevic",
    "parts of both": "an kovac",
    "a slip": "kovacveic",
    "two slips": "anna kovacevik",
    "names in one word": "anakovacevic",
    "an address": "buyer77@example.com",
    "a part of an address": "buyer77@ex",
    "an order's number": "g-50000",
    "the end of a code": "…7KQ2",
    "nobody": "zzzzzzzz",
}


def main(certificates: int = 100_000) -> None:
    """Print a table for each database."""
    for kind in ("sqlite", "postgresql"):
        with fresh_shops(kind):
            for entries in build_books(db.engine, certificates=certificates, rounds=ENTRIES):
                show_progress(f"{entries} entries")
            words = _name_everybody(certificates)
            _measure(kind, certificates, words)


def _name_everybody(certificates: int) -> int:
    """Give every gift names and addresses, and index them; return how many different words there are."""
    chance = random.Random(1)
    with db.engine.connect() as connection:
        rows = connection.execute(sa.select(Gift.id, Gift.order_id).order_by(Gift.id)).all()
        for first in range(0, certificates, AT_ONCE):
            show_progress(f"{first} named")
            gifts, orders, found = [], [], []
            for gift_id, order_id in rows[first : first + AT_ONCE]:
                recipient, giver = _name(chance), _name(chance)
                own, buyers = f"{recipient.split()[0]}{gift_id}@example.com", f"buyer{gift_id}@example.com"
                gifts.append({"its": gift_id, "recipient": recipient, "giver": giver, "address": own})
                orders.append({"its": order_id, "address": buyers})
                found.append((gift_id, search_index.words_of([recipient, giver], [own, buyers])))
            connection.execute(_GIFT, gifts)
            connection.execute(_ORDER, orders)
            search_index.index_gifts(connection, found)
            connection.commit()
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("ANALYZE"))
        return connection.scalar(sa.select(sa.func.count()).select_from(search_index.SearchWord)) or 0


def _name(chance: random.Random) -> str:
    if chance.random() < 0.02:
        return f"{chance.choice(('Ana', 'Hana', 'Ivan'))} {chance.choice(('Kovačević', 'Kovač', 'Novak'))}"
    first = chance.choice(("Ana", "Marko", "Žaneta", chance.choice(STARTS) + chance.choice(ENDS)))
    return f"{first} {chance.choice(STARTS)}{chance.choice(MIDDLES)}{chance.choice(MIDDLES)}{chance.choice(ENDS)}"


_GIFT = (
    sa.update(Gift.__table__)
    .where(Gift.__table__.c.id == sa.bindparam("its"))
    .values(
        recipient_name=sa.bindparam("recipient"),
        giver_name=sa.bindparam("giver"),
        recipient_email=sa.bindparam("address"),
    )
)
_ORDER = (
    sa.update(Order.__table__)
    .where(Order.__table__.c.id == sa.bindparam("its"))
    .values(buyer_email=sa.bindparam("address"))
)


def _measure(kind: str, certificates: int, words: int) -> None:
    only_reads()
    bare = _best(_read_names)
    rows = [("reading every name", "", f"{bare:.1f}", "", "1.00")]
    for what, typed in LOOKED_FOR.items():
        found = search_certificates(typed)
        many = f"{len(found.found)}{' near' if found.are_near else ''}"
        counter = _best(lambda typed=typed: search_certificates(typed))
        office = _best(lambda typed=typed: find_orders(Wanted(words=typed)))
        rows.append((f"{what}: {typed}", many, f"{counter:.1f}", f"{office:.1f}", f"{counter / bare:.2f}"))
    note = f"{words:,} different words. Best of {RUNS} runs each; a new session each time."
    print_table(f"{kind}: {certificates:,} certificates", ("", "found", "counter ms", "list ms", "× bare"), rows, note)


def _read_names() -> None:
    db.session.execute(sa.select(Gift.recipient_name, Gift.giver_name)).all()


def _best(act: object) -> float:
    spent = []
    for _ in range(RUNS):
        started = time.perf_counter()
        act()  # type: ignore[operator]
        spent.append(1000 * (time.perf_counter() - started))
        db.session.rollback()
    return min(spent)


if __name__ == "__main__":
    print(describe_machine())
    main(*(int(number) for number in sys.argv[1:]))
