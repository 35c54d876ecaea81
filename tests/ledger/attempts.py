"""Attempts to post wrong entries, each with the words that refuse it: the table of the ledger's decision record."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.ledger.books import Books

CHECK = "CHECK constraint failed|violates check constraint"
UNIQUE = "duplicate"
AGREES = "FOREIGN KEY constraint failed|certificate_agrees_with_ledger"
APPEND_ONLY = "append-only|never deleted"
NOT_NULL = "NOT NULL constraint failed|violates not-null"
FITS = "entry does not match its certificate"
FOLLOWS = "balance does not follow from the previous entry"
MIRROR = "closing entry must mirror an open entry"
CHAIN = "hash chain does not continue"
NOT_ACTIVE = "certificate is not active"
NOT_STRIPE = "only a certificate paid through Stripe"
VOID_WHERE = "void must return the value where it came from"
IMMUTABLE = "immutable certificate column|can only be updated to DEFAULT"
ONE_ENTRY = "a balance moves one entry at a time"
STARTS_EMPTY = "a certificate starts at 0"
FACE_FIRST = "first entry must carry the face value"

CASH, STRIPE = "cash_paid_out", "stripe_clearing"


@dataclass(frozen=True)
class Attempt:
    """What someone tries, and the words that refuse it; `only` on one of the databases."""

    name: str
    words: str
    act: Callable[[Books], object]
    only: str = ""


def sql(words: str, *statements: str, only: str = "") -> list[Attempt]:
    """Return attempts by plain statements."""
    return [Attempt(each, words, lambda books, each=each: books.run(each), only) for each in statements]  # type: ignore[misc]


def born(name: str, words: str, act: Callable[[Books], object] | None = None, **changes: object) -> Attempt:
    """Return an attempt to bring a certificate into the world wrongly."""

    def attempt(books: Books) -> None:
        books.add_certificate("new", **changes)
        if act is not None:
            act(books)

    return Attempt(name, words, attempt)


AMOUNTS = [
    Attempt("a cent more than there is", CHECK, lambda b: b.post("sold", "redeem", 100_01)),
    Attempt("a redemption that moves no balance", FOLLOWS, lambda b: b.post("sold", "redeem", 1_00, effect=0)),
    Attempt("a redemption that moves half of it", FOLLOWS, lambda b: b.post("sold", "redeem", 1_00, effect=-50)),
    Attempt("less than nothing", CHECK, lambda b: b.post("sold", "redeem", -5)),
    Attempt("nothing", CHECK, lambda b: b.post("sold", "redeem", 0)),
    Attempt("half a cent", "cannot store REAL", lambda b: b.post("sold", "redeem", 1.5), only="sqlite"),
    Attempt("2^64 cents", "too large|out of range", lambda b: b.post("sold", "redeem", 2**64)),
    Attempt("more than a million", CHECK, lambda b: b.post("sold", "loss", 100_000_001)),
]

REQUESTS = [
    Attempt("a used key", UNIQUE, lambda b: b.post("sold", "redeem", 1, request_key="a-used-key")),
    Attempt("a short key", CHECK, lambda b: b.post("sold", "redeem", 1, request_key="1234567")),
    Attempt("a long key", CHECK, lambda b: b.post("sold", "redeem", 1, request_key="k" * 256)),
    Attempt("no scope", CHECK, lambda b: b.post("sold", "redeem", 1, request_scope="")),
    Attempt("nobody", CHECK, lambda b: b.post("sold", "redeem", 1, actor="")),
    Attempt("a long name", CHECK, lambda b: b.post("sold", "redeem", 1, actor="a" * 65)),
    Attempt("a long reason", CHECK, lambda b: b.post("sold", "redeem", 1, reason_code="r" * 41)),
    Attempt("an empty reference", CHECK, lambda b: b.post("sold", "redeem", 1, external_ref="")),
    Attempt("at no moment", NOT_NULL, lambda b: b.post("sold", "redeem", 1, created_at=None, hash=b"h" * 32)),
    Attempt("a second answer", UNIQUE, lambda b: b.answer(answer="other")),
    Attempt("an answer to a short key", CHECK, lambda b: b.answer(key="fifteen-signs-!")),
    Attempt("an answer that says broken", CHECK, lambda b: b.answer(key="another-key-is-ok", status=500)),
    Attempt("an answer to no content", CHECK, lambda b: b.answer(key="another-key-is-ok", body_sha256=bytes(31))),
    Attempt("a second seal on the first", UNIQUE, lambda b: b.seal(digest=b"2" * 32)),
    Attempt("a seal used again", UNIQUE, lambda b: b.seal(prev_digest=b"1" * 32)),
]

UNDOS = [
    Attempt(
        "a second undo",
        UNIQUE,
        lambda b: b.post("undone", "redeem", 20_00) and b.post("undone", "reversal", 20_00, "undone"),
    ),
    Attempt("another amount undone", MIRROR, lambda b: b.post("sold", "reversal", 19_99, "undone")),
    Attempt("half an undo", MIRROR, lambda b: b.post("sold", "reversal", 10_00, "redemption")),
    Attempt("an undo elsewhere", MIRROR, lambda b: b.post("held", "reversal", 20_00, "redemption")),
    Attempt("an undo into cash", MIRROR, lambda b: b.post("sold", "reversal", 20_00, "redemption", debit_account=CASH)),
    Attempt("an undo of an undo", MIRROR, lambda b: b.post("undone", "redeem", 20_00, "undo")),
    Attempt("an undo of a sale", MIRROR, lambda b: b.post("sold", "reversal", 20_00, "sale", debit_account=STRIPE)),
    Attempt("a sale taken back", MIRROR, lambda b: b.post("sold", "refund_returned", 20_00, "sale")),
    Attempt("an undo of nothing", CHECK, lambda b: b.post("sold", "reversal", 20_00)),
    Attempt("an undo of what is not there", MIRROR, lambda b: b.post("sold", "reversal", 20_00, 987654)),
    Attempt("a redemption that closes one", MIRROR, lambda b: b.post("sold", "redeem", 20_00, "redemption")),
]

HOLDS = [
    Attempt("settle after release", UNIQUE, lambda b: b.post("released", "refund_settled", 30_00, "released hold")),
    Attempt("release after settle", UNIQUE, lambda b: b.post("settled", "refund_released", 30_00, "settled hold")),
    Attempt("settle a part", MIRROR, lambda b: b.post("held", "refund_settled", 29_99, "held hold")),
    Attempt(
        "release more",
        MIRROR,
        lambda b: b.post("held", "redeem", 1) and b.post("held", "refund_released", 30_01, "held hold"),
    ),
    Attempt("return what was only held", MIRROR, lambda b: b.post("held", "refund_returned", 30_00, "held hold")),
    Attempt(
        "release a lost dispute",
        UNIQUE,
        lambda b: b.post("lost", "refund_hold", 120_00) and b.post("lost", "dispute_released", 120_00, "dispute"),
    ),
    Attempt(
        "recover twice",
        UNIQUE,
        lambda b: b.post("lost", "refund_hold", 120_00) and b.post("lost", "dispute_recovered", 120_00, "lost"),
    ),
    Attempt("recover a loss twice", UNIQUE, lambda b: b.post("written_off", "loss_recovered", 5_00, "loss")),
    Attempt("recover a loss of nothing", CHECK, lambda b: b.post("written_off", "loss_recovered", 5_00)),
    Attempt("lose what was never disputed", MIRROR, lambda b: b.post("sold", "dispute_lost", 20_00, "redemption")),
]

STATES = [
    Attempt("redeem while frozen", NOT_ACTIVE, lambda b: b.post("frozen", "redeem", 1)),
    Attempt("cash out while frozen", NOT_ACTIVE, lambda b: b.post("frozen", "cash_out", 1)),
    Attempt("refund a promotion", NOT_STRIPE, lambda b: b.post("promoted", "refund_hold", 1)),
    Attempt("refund a promotion outside", NOT_STRIPE, lambda b: b.post("promoted", "refund_external", 1)),
    Attempt("dispute an import", NOT_STRIPE, lambda b: b.post("imported", "dispute_hold", 1)),
    Attempt("lose an import", NOT_STRIPE, lambda b: b.post("imported", "loss", 1)),
    Attempt("pay a promotion out", VOID_WHERE, lambda b: b.post("promoted", "void", 120_00, status="void")),
    Attempt(
        "void a sale into promotions",
        VOID_WHERE,
        lambda b: b.post("fresh", "void", 120_00, status="void", credit_account="promotion_expense"),
    ),
    Attempt(
        "void an import into promotions",
        VOID_WHERE,
        lambda b: b.post("imported", "void", 120_00, status="void", credit_account="promotion_expense"),
    ),
    Attempt("void with money left", CHECK, lambda b: b.post("fresh", "void", 119_99, status="void")),
    *sql(CHECK, *(f"UPDATE certificate SET status = '{status}' WHERE id = <fresh>" for status in ("void", "free", ""))),
]

TOP_UPS = [
    Attempt("a second issue", CHECK, lambda b: b.post("sold", "issue", 20_00)),
    Attempt(
        "a second promotion", CHECK, lambda b: b.post("promoted", "redeem", 1) and b.post("promoted", "promote", 1)
    ),
    Attempt("a second import", CHECK, lambda b: b.post("sold", "import", 20_00)),
    Attempt("above the face value", CHECK, lambda b: b.move(b.certificates["fresh"], 1)),
    Attempt("a pair of accounts nobody knows", CHECK, lambda b: b.post("sold", "redeem", 1, credit_account="breakage")),
    Attempt("an account nobody knows", CHECK, lambda b: b.post("sold", "redeem", 1, credit_account="my_pocket")),
    Attempt("a kind nobody knows", CHECK, lambda b: b.post("sold", "redeem", 1, kind="gift")),
    Attempt(
        "from itself to itself",
        CHECK,
        lambda b: b.post("sold", "redeem", 1, credit_account="certificate_liability", effect=1),
    ),
]

CHAINS = [
    Attempt("a gap", FITS, lambda b: b.post("sold", "redeem", 1, sequence=4)),
    Attempt("a repeated number", f"{UNIQUE}|{FITS}", lambda b: b.post("sold", "redeem", 1, sequence=2)),
    Attempt("another balance", FITS, lambda b: b.post("sold", "redeem", 1, balance_after_cents=100_00)),
    Attempt("an entry of nobody's", FITS, lambda b: b.post("sold", "redeem", 1, certificate_id=4711)),
    Attempt("an entry of another", FITS, lambda b: b.post("sold", "redeem", 1, certificate_id=2)),
    Attempt("an invented link", CHAIN, lambda b: b.post("sold", "redeem", 1, prev_hash=b"x" * 32)),
    Attempt("no link", CHAIN, lambda b: b.post("sold", "redeem", 1, prev_hash=bytes(32))),
    Attempt("another's link", CHAIN, lambda b: b.post("sold", "redeem", 1, prev_hash=b.last_hash(2))),
    Attempt("a used hash", UNIQUE, lambda b: b.post("sold", "redeem", 1, hash=b.last_hash(2))),
    Attempt("a short hash", CHECK, lambda b: b.post("sold", "redeem", 1, hash=bytes(31))),
]  # fmt: skip

BIRTHS = [
    Attempt("born again in its own place", UNIQUE, lambda b: b.bear_again("fresh"), only="sqlite"),
    born("born with money", STARTS_EMPTY, balance_cents=1),
    born("born with a number", STARTS_EMPTY, last_sequence=1),
    born("born without an issue", AGREES),
    born("born void without an issue", AGREES, status="void"),
    born("born with another amount", FACE_FIRST, lambda b: b.post("new", "issue", 119_99)),
    born("born by a redemption", FOLLOWS, lambda b: b.post("new", "redeem", 120_00, effect=120_00)),
    born("born by a top-up", CHECK, lambda b: b.post("new", "refund_returned", 120_00)),
    born("born with a link", CHAIN, lambda b: b.post("new", "issue", 120_00, prev_hash=b"x" * 32)),
    born("born with a wrong pair", CHECK, lambda b: b.post("new", "issue", 120_00, debit_account="write_off")),
    born("worth nothing", CHECK, face_value_cents=0),
    born("worth more than a million", CHECK, face_value_cents=100_000_001),
    born("in small letters", CHECK, currency="usd"),
    born("in no currency", CHECK, currency="US"),
    born("in no mode", CHECK, mode="free"),
    born("in no state", CHECK, status="fresh"),
    born("with a short look-up value", CHECK, code_lookup=bytes(31)),
    born("with a short sealed code", CHECK, code_enc=bytes(31)),
    born("without a name to show", NOT_NULL, recipient_name=None),
]

ON_ENTRIES = [*AMOUNTS, *REQUESTS, *UNDOS, *HOLDS, *STATES, *TOP_UPS, *CHAINS, *BIRTHS]
