"""The outside check: from what clients were answered alone, whether each certificate's history is one line.

Every money answer carries `version` and `balance_after`. A history is right when, per certificate, no version is
given twice and none is missing but those of requests whose answer nobody heard, every balance follows from the one
before, an answer that had arrived before a request was sent has the lower version, a key that was sent again has one
effect, and, where all is known, a balance that may have been there was too small for what was refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

FIRST_VERSION = 1
"""The version of the issue, which no client asked for."""


class Finding(NamedTuple):
    """Something that must not be: which check says so, and about what."""

    check: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request of a client and what it heard; times in seconds of one steady clock.

    `outcome` is accepted (then with version and balance), refused (a definite no), or unknown (no answer, or 503).
    """

    certificate: str
    act: Literal["redeem", "undo"]
    key: str
    amount_cents: int
    sent_at: float
    answered_at: float
    outcome: Literal["accepted", "refused", "unknown"]
    version: int = 0
    balance_after: int = 0
    entry: int = 0

    @property
    def change_cents(self) -> int:
        return self.amount_cents if self.act == "undo" else -self.amount_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRefund:
    """Money asked back for a certificate until the end was known: the refund it began, none when it was refused."""

    certificate: str
    key: str
    amount_cents: int
    refund_id: str = ""


@dataclass(slots=True)
class _Request:
    """All exchanges of one key: when it was first sent, when its outcome was first known, and what that was."""

    first: Exchange
    accepted: Exchange | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def is_unknown(self) -> bool:
        return all(each.outcome == "unknown" for each in self.exchanges)


def find_contradictions(
    history: Iterable[Exchange], *, face_cents: Mapping[str, int], entries_of_others: Mapping[str, int]
) -> list[Finding]:
    """Return what contradicts one line of acts per certificate; empty when there is such a line.

    `face_cents` is each certificate's value at first; `entries_of_others` the most entries that refunds, disputes
    and people who are not in the history may have made on it (0 where it is not named).
    """
    requests: dict[str, dict[str, _Request]] = defaultdict(dict)
    for exchange in sorted(history, key=lambda each: each.sent_at):
        of_key = requests[exchange.certificate].setdefault(exchange.key, _Request(exchange))
        of_key.exchanges.append(exchange)
        if exchange.outcome == "accepted" and of_key.accepted is None:
            of_key.accepted = exchange
    return [
        finding
        for name, by_key in requests.items()
        for finding in _check_one(list(by_key.values()), face_cents[name], entries_of_others.get(name, 0))
    ]


def _check_one(requests: list[_Request], face_cents: int, others: int) -> Iterator[Finding]:
    for request in requests:
        yield from _check_key(request)
    accepted = sorted((each.accepted for each in requests if each.accepted), key=lambda each: each.version)
    unknown = [each.first for each in requests if each.is_unknown]
    yield from _check_versions(accepted, len(unknown) + others)
    yield from _check_balances(accepted, unknown, face_cents, are_alone=not others)
    yield from _check_order([each for each in requests if each.accepted])
    if not unknown and not others:
        yield from _check_refusals(requests, accepted, face_cents)


def _check_key(request: _Request) -> Iterator[Finding]:
    """Check that every definite answer to one key is the same answer."""
    answers = {(e.outcome, e.version, e.balance_after, e.entry) for e in request.exchanges if e.outcome != "unknown"}
    if len(answers) > 1:
        yield Finding("one key, two effects", f"{request.first.certificate} {request.first.key}: {sorted(answers)}")


def _check_versions(accepted: list[Exchange], unseen: int) -> Iterator[Finding]:
    """Check that no version comes twice, and that no more are missing than acts nobody heard the end of."""
    missing, last = 0, FIRST_VERSION
    for each in accepted:
        if each.version <= last:
            yield Finding("a version twice", f"{each.certificate} version {each.version}")
        missing += max(0, each.version - last - 1)
        last = max(last, each.version)
    if missing > unseen:
        yield Finding("a version missing", f"{accepted[0].certificate}: {missing} missing, {unseen} may be")


def _check_balances(
    accepted: list[Exchange], unknown: list[Exchange], face_cents: int, *, are_alone: bool
) -> Iterator[Finding]:
    """Check that each balance follows from the one before it, across a gap of one by an act whose end is unknown."""
    version, balance = FIRST_VERSION, face_cents
    may_be = {each.change_cents for each in unknown}
    for each in accepted:
        gap, difference = each.version - version - 1, each.balance_after - balance - each.change_cents
        explained = not difference if gap <= 0 else not are_alone or gap > 1 or difference in may_be
        if not explained or not 0 <= each.balance_after <= face_cents:
            yield Finding("a balance that does not follow", f"{each.certificate} version {each.version}: {difference}")
        version, balance = each.version, each.balance_after


def _check_order(requests: list[_Request]) -> Iterator[Finding]:
    """Check that what was answered before a request was sent has a lower version than that request got."""
    ends = sorted((each.accepted.answered_at, each.accepted.version) for each in requests if each.accepted)
    newest, place = FIRST_VERSION, 0
    for request in requests:  # in the order in which they were first sent
        while place < len(ends) and ends[place][0] < request.first.sent_at:
            newest = max(newest, ends[place][1])
            place += 1
        if request.accepted and request.accepted.version <= newest:
            detail = f"{request.first.certificate} version {request.accepted.version} was asked for after {newest}"
            yield Finding("an answer from the past", detail)


def _check_refusals(requests: list[_Request], accepted: list[Exchange], face_cents: int) -> Iterator[Finding]:
    """Check that, when a redemption was refused, there may have been too little: acts under way count either way."""
    first_sent = {request.first.key: request.first.sent_at for request in requests}
    for request in requests:
        last = request.exchanges[-1]
        if request.accepted or last.act != "redeem":
            continue
        before = [each.version for each in accepted if each.answered_at < request.first.sent_at]
        begun = [each for each in accepted if first_sent[each.key] <= last.answered_at]
        lowest = max(before, default=FIRST_VERSION)
        may_be = [each.balance_after for each in begun if each.version >= lowest]
        if min(may_be, default=face_cents) >= last.amount_cents:
            detail = f"{last.certificate} {last.key}: {last.amount_cents} of {may_be or face_cents}"
            yield Finding("a refusal that nothing explains", detail)
