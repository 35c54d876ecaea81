"""Where a request ends, found in bytes that come in any pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftshop.web.arrival.whole_requests import MOST_BODY, MOST_HEAD, ArrivingRequest, OverlongError

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
CHUNKED = b"POST / HTTP/1.1\r\ntransfer-encoding: gzip, Chunked\r\n\r\n3;x=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n"
TRAILED = b"POST / HTTP/1.1\r\nTransfer-Encoding:chunked\r\n\r\n1\r\na\r\n0\r\nDigest: x\r\n\r\n"
EVERY = (GET, POST, CHUNKED, TRAILED)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.sampled_from(EVERY), min_size=1, max_size=4), st.lists(st.integers(0, 2000), max_size=8))
def test_requests_are_found_whole_however_they_are_cut(requests: list[bytes], places: list[int]) -> None:
    arriving, found = ArrivingRequest(), []
    for piece in cut(b"".join(requests), places):
        arriving.take(piece)
        while arriving.is_whole():
            found.append(arriving.take_out())
    assert found == requests
    assert not arriving.received


@pytest.mark.parametrize("request_", EVERY)
def test_nothing_short_of_its_last_byte_is_whole(request_: bytes) -> None:
    arriving = ArrivingRequest()
    for number in range(len(request_) - 1):
        arriving.take(request_[number : number + 1])
        assert not arriving.is_whole()
    arriving.take(request_[-1:])
    assert arriving.is_whole()


@pytest.mark.parametrize(
    "broken",
    [
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"\r\n\r\n",
    ],
)
def test_what_is_wrong_is_left_to_gunicorn_at_once(broken: bytes) -> None:
    arriving = ArrivingRequest()
    arriving.take(broken)
    assert arriving.is_whole()
    assert arriving.take_out() == broken


def test_a_head_without_end_is_refused() -> None:
    arriving = ArrivingRequest()
    arriving.take(b"GET / HTTP/1.1\r\nX: " + b"x" * (MOST_HEAD - 20))
    with pytest.raises(OverlongError):
        arriving.take(b"x" * 20)


def test_chunks_without_end_are_refused() -> None:
    arriving = ArrivingRequest()
    arriving.take(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(OverlongError):
        arriving.take(b"FFFFFFFF\r\n" + b"x" * (MOST_BODY + MOST_HEAD))


def test_of_a_body_that_is_too_long_only_the_head_is_kept() -> None:
    arriving, head = ArrivingRequest(), b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY + 10)
    arriving.take(head + b"x" * 5)
    arriving.take(b"x" * MOST_BODY)
    assert not arriving.is_whole()
    arriving.take(b"x" * 5)
    assert arriving.is_whole()
    assert arriving.is_cut
    assert arriving.take_out() == head
