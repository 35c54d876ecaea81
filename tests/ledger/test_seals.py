"""Seals: what was mailed to the owner stays provable, even against somebody who owns the database file."""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from giftshop import clock
from giftshop.foundation.database import db, may_write, only_reads
from giftshop.ledger import hash_chain, integrity, raw_rows, seals
from giftshop.ledger.models import Certificate, LedgerEntry, LedgerSeal
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.ledger.forging import last_digest, rebuild_chains, rebuild_seals, run, unguarded
from tests.ledger.whole_ledger import find_forged_entry

Forgery = Callable[[list[int]], None]


def seal_now() -> LedgerSeal:
    """Seal the books and commit."""
    seal = seals.build_seal(at=clock.now())
    db.session.add(seal)
    db.session.commit()
    return seal


def verify(mailed: str = "") -> str:
    """Verify everything in the open transaction; return what is wrong, nothing when all is right."""
    try:
        for _ in seals.verify(mailed=mailed):
            pass
    except seals.TamperedLedgerError as refusal:
        return refusal.message
    return ""


@pytest.fixture
def sealed(app: Flask) -> list[int]:
    """Four certificates, used and sealed twice, and used again after the last seal; their ids."""
    ids = [build.certificate().id for _ in range(4)]
    take(ids[0], 10_00)
    db.session.commit()
    seal_now()
    give_back(take(ids[1], 20_00))
    take(ids[2], 30_00)
    db.session.commit()
    seal_now()
    take(ids[1], 5_00)
    db.session.commit()
    return ids


@both_databases
def test_a_seal_is_the_digest_of_the_heads_behind_the_seal_before(sealed: list[int]) -> None:
    first, second = db.session.scalars(sa.select(LedgerSeal).order_by(LedgerSeal.id))
    assert (first.certificates, first.entries, first.prev_digest) == (4, 5, bytes(32))
    assert (second.certificates, second.entries, second.prev_digest) == (4, 8, first.digest)
    stood = [(ids, sequence) for ids, sequence in zip(sealed, (2, 3, 2, 1), strict=True)]
    text = b"".join(
        number.to_bytes(8, "big") + sequence.to_bytes(8, "big") + hash_of(number, sequence)
        for number, sequence in stood
    )
    assert second.digest == sha256(first.digest + text).digest()


def hash_of(certificate_id: int, sequence: int) -> bytes:
    query = sa.select(LedgerEntry.hash).where(
        LedgerEntry.certificate_id == certificate_id, LedgerEntry.sequence == sequence
    )
    return db.session.scalars(query).one()


@both_databases
def test_honest_books_verify_with_every_seal_that_was_mailed(sealed: list[int]) -> None:
    for digest in [seal.digest.hex() for seal in db.session.scalars(sa.select(LedgerSeal))]:
        assert verify(digest) == ""
    spaced = " ".join(last_digest()[place : place + 8] for place in range(0, 64, 8)).upper()
    assert verify(spaced) == ""


@both_databases
def test_an_empty_shop_can_be_sealed_and_sold_from_after_it(app: Flask) -> None:
    seal = seal_now()
    assert (seal.certificates, seal.entries) == (0, 0)
    build.certificate()
    seal_now()
    assert verify(seal.digest.hex()) == ""


def test_a_digest_that_was_never_mailed_is_refused(sealed: list[int]) -> None:
    assert "No seal of this ledger has that digest" in verify(secrets.token_hex(32))


def test_seals_cover_more_certificates_than_are_read_at_once(
    sealed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = seals.build_seal(at=clock.now()).digest
    monkeypatch.setattr(raw_rows, "CERTIFICATES_AT_ONCE", 1)
    assert seals.build_seal(at=clock.now()).digest == whole
    assert verify(last_digest()) == ""


def change_an_amount(ids: list[int]) -> None:
    """Say that less was taken than was, and that more is left."""
    run("UPDATE ledger_entry SET amount_cents = 1 WHERE certificate_id = :id AND sequence = 2", id=ids[2])
    run("UPDATE ledger_entry SET balance_after_cents = 11999 WHERE certificate_id = :id AND sequence = 2", id=ids[2])
    run("UPDATE certificate SET balance_cents = 11999 WHERE id = :id", id=ids[2])


def change_who_took_it(ids: list[int]) -> None:
    run("UPDATE ledger_entry SET actor = 'staff:99' WHERE certificate_id = :id AND sequence = 2", id=ids[0])


def remove_a_certificate(ids: list[int]) -> None:
    for table in ("delivery_certificate", "gift_certificate", "ledger_entry"):
        run(f"DELETE FROM {table} WHERE certificate_id = :id", id=ids[3])
    run("DELETE FROM certificate WHERE id = :id", id=ids[3])


def remove_a_redemption(ids: list[int]) -> None:
    run("DELETE FROM ledger_entry WHERE certificate_id = :id AND sequence = 2", id=ids[2])
    run("UPDATE certificate SET balance_cents = 12000, last_sequence = 1 WHERE id = :id", id=ids[2])


def write_a_redemption_in(ids: list[int]) -> None:
    """Put a redemption that never was in front of the seal, in the place of a later one."""
    columns = "kind, debit_account, credit_account, amount_cents, actor, reason_code, request_scope, created_at"
    run("UPDATE ledger_entry SET id = 100 WHERE certificate_id = :id AND sequence = 4", id=ids[1])
    run(
        f"INSERT INTO ledger_entry (id, certificate_id, sequence, balance_after_cents, request_key, prev_hash, hash,"
        f" {columns}) SELECT 9, :to, 2, 9000, 'forged-key', prev_hash, randomblob(32), {columns}"
        " FROM ledger_entry WHERE certificate_id = :id AND sequence = 2",
        to=ids[3],
        id=ids[2],
    )
    run("UPDATE certificate SET balance_cents = 9000, last_sequence = 2 WHERE id = :id", id=ids[3])


def exchange_two(ids: list[int]) -> None:
    """Say that the redemption that was undone belonged to another certificate's day: two entries change places."""
    mine = "certificate_id = :id AND sequence"
    run(f"UPDATE ledger_entry SET created_at = (SELECT created_at FROM ledger_entry WHERE {mine} = 1)"
        f" WHERE {mine} = 2", id=ids[0])  # fmt: skip
    run(f"UPDATE ledger_entry SET actor = 'stripe' WHERE {mine} = 2", id=ids[0])


FORGERIES: list[Forgery] = [
    change_an_amount,
    change_who_took_it,
    remove_a_certificate,
    remove_a_redemption,
    exchange_two,
]


@pytest.mark.parametrize("forge", [*FORGERIES, write_a_redemption_in])
def test_a_forger_who_recomputes_every_hash_is_found_by_the_seals(sealed: list[int], forge: Forgery) -> None:
    mailed = last_digest()
    with unguarded():
        forge(sealed)
        rebuild_chains()
        assert "ledger_seal" in verify(mailed) or "the ids of entries have a gap" in verify(mailed)


@both_databases
@pytest.mark.parametrize("forge", FORGERIES)
def test_the_forger_would_not_be_found_without_the_seals(
    sealed: list[int], forge: Forgery, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "find_moved_row", lambda: None)
    if database == "sqlite":
        monkeypatch.setattr(integrity, "find_moved_row", lambda: None)
    mailed = last_digest()
    with unguarded():
        forge(sealed)
        rebuild_chains()
        assert find_forged_entry() is None
        assert "ledger_seal" in verify(mailed)
        run("DELETE FROM ledger_seal")
        assert verify() == ""


def test_a_forger_who_recomputes_the_seals_too_is_found_by_the_mail(sealed: list[int]) -> None:
    mailed = last_digest()
    with unguarded():
        change_an_amount(sealed)
        rebuild_chains()
        rebuild_seals()
        assert verify() == ""
        assert "No seal of this ledger has that digest" in verify(mailed)


def test_the_first_seal_that_does_not_fit_is_named_with_its_day(sealed: list[int]) -> None:
    second = db.session.scalars(sa.select(LedgerSeal).order_by(LedgerSeal.id.desc())).first()
    assert second is not None
    told = f"ledger_seal {second.id}: made {second.created_at:%Y-%m-%d %H:%M} UTC"
    with unguarded():
        change_an_amount(sealed)
        rebuild_chains()
        assert told in verify()


def remove_a_seal() -> None:
    run("DELETE FROM ledger_seal WHERE entries = 5")


def move_a_seal_forward() -> None:
    run("UPDATE ledger_seal SET entries = 50 WHERE entries = 8")


def count_a_certificate_less() -> None:
    run("UPDATE ledger_seal SET certificates = 3 WHERE entries = 8")


@pytest.mark.parametrize("forge", [remove_a_seal, move_a_seal_forward, count_a_certificate_less])
def test_a_seal_itself_cannot_be_changed_unseen(sealed: list[int], forge: Callable[[], None]) -> None:
    with unguarded():
        forge()
        assert "ledger_seal" in verify()


def test_entries_removed_before_a_seal_are_missed(sealed: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "find_moved_row", lambda: None)
    with unguarded():
        run("DELETE FROM ledger_entry WHERE id > 7")
        run("UPDATE certificate SET last_sequence = 3, balance_cents = 12000 WHERE id = :id", id=sealed[1])
        run("UPDATE certificate SET last_sequence = 1, balance_cents = 12000 WHERE id = :id", id=sealed[2])
        assert "entries it covers are gone" in verify()


@contextmanager
def people_redeem(app: Flask, ids: list[int]) -> Iterator[None]:
    """Somebody takes a cent from each certificate, again and again."""
    over = threading.Event()

    def redeem_on_and_on(certificate_id: int) -> None:
        with app.app_context():
            while not over.is_set():
                take(certificate_id, 1)
                db.session.commit()

    people = [threading.Thread(target=redeem_on_and_on, args=(number,)) for number in ids]
    for person in people:
        person.start()
    yield
    over.set()
    for person in people:
        person.join()


def verify_as_the_command_does(mailed: str) -> list[str]:
    """Verify in one short reading transaction after the other; return what is wrong."""
    only_reads()
    try:
        for _ in seals.verify(mailed=mailed):
            db.session.rollback()
        return integrity.list_broken_invariants()
    finally:
        may_write()


@both_databases
def test_books_can_be_sealed_and_verified_while_people_redeem(app: Flask) -> None:
    ids = [build.certificate(face_value_cents=1000_00).id for _ in range(3)]
    before = raw_rows.count_entries()
    db.session.rollback()
    with people_redeem(app, ids):
        for _ in range(5):
            seal_now()
            assert verify_as_the_command_does(last_digest()) == []
    assert verify(last_digest()) == ""
    assert raw_rows.count_entries() > before


@both_databases
def test_a_posting_under_way_is_wholly_in_the_seal_or_wholly_after_it(app: Flask, database: str) -> None:
    """On PostgreSQL its entry has a lower id and a later commit than another: the seal must wait for it."""
    slow, quick = build.certificate().id, build.certificate().id
    db.session.rollback()
    posted, may_commit = threading.Event(), threading.Event()

    def post_slowly() -> None:
        with app.app_context():
            take(slow, 1_00)
            posted.set()
            may_commit.wait(20)
            db.session.commit()

    person = threading.Thread(target=post_slowly)
    person.start()
    posted.wait(20)
    if database == "postgresql":
        take(quick, 1_00)
        db.session.commit()
    threading.Timer(0.5, may_commit.set).start()
    seal = seal_now()
    person.join()
    assert seal.entries == (4 if database == "postgresql" else 2)
    assert verify(seal.digest.hex()) == ""


@given(
    st.tuples(
        st.integers(1, 2**62),
        st.integers(1, 10**6),
        st.text(),
        st.none() | st.text(),
        st.none() | st.integers(),
    )
)
def test_the_canonical_form_is_json_without_spaces_in_ascii(values: tuple[object, ...]) -> None:
    text = hash_chain.canonical(values)
    assert text.isascii()
    assert json.loads(text) == list(values)
    assert text == json.dumps(values, separators=(",", ":")).encode()


def test_a_certificate_that_lost_its_row_or_its_entries_is_named(sealed: list[int]) -> None:
    public_id = db.session.get_one(Certificate, sealed[0]).public_id
    with unguarded():
        run("DELETE FROM ledger_entry WHERE certificate_id = :id", id=sealed[0])
        assert f"(certificate {public_id}): it has no entries" in verify()
    with unguarded():
        run("DELETE FROM certificate WHERE id = :id", id=sealed[0])
        assert "its certificate is gone" in verify()


def test_the_moment_of_a_seal_is_when_it_was_asked_for(app: Flask) -> None:
    at = clock.now() - timedelta(days=1)
    assert seals.build_seal(at=at).created_at == at


def test_a_fault_of_the_database_that_has_passed_is_not_taken_for_tampering(sealed: list[int]) -> None:
    def fail_once(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM ledger_entry" in statement and "BETWEEN" in statement:
            sa.event.remove(db.engine, "before_cursor_execute", fail_once)
            raise OperationalError(statement, {}, Exception("disk I/O error"))

    sa.event.listen(db.engine, "before_cursor_execute", fail_once)
    with pytest.raises(OperationalError, match="disk I/O error"):
        verify()
    db.session.rollback()
    assert verify() == ""
