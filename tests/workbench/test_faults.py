"""The API's failures on demand, as the SDK lives through them."""

from typing import Any

import pytest
import stripe

from tests.workbench.running import RunningWorkbench, stripe_client
from tests.workbench.samples import session_params

SESSIONS = "/v1/checkout/sessions"


def create(bench: RunningWorkbench, *, retries: int = 0, read: float = 5) -> Any:
    client = stripe_client(bench, retries=retries, read=read)
    return client.v1.checkout.sessions.create(params=session_params(), options={"idempotency_key": "k"})


@pytest.mark.parametrize(
    ("do", "error", "status"),
    [
        ("500", stripe.APIError, 500),
        ("503", stripe.APIError, 503),
        ("429", stripe.RateLimitError, 429),
        ("html502", stripe.APIError, 502),
        ("drop_before", stripe.APIConnectionError, None),
    ],
)
def test_a_failing_call_makes_nothing(
    bench: RunningWorkbench, do: str, error: type[stripe.StripeError], status: int | None
) -> None:
    bench.post("/faults", {"do": do, "method": "POST", "path": SESSIONS})
    with pytest.raises(error) as failed:
        create(bench)
    assert failed.value.http_status == status
    assert bench.sessions() == []
    assert create(bench).status == "open"


def test_an_answer_that_is_lost_was_a_session_all_the_same(bench: RunningWorkbench) -> None:
    bench.post("/faults", {"do": "drop_after", "path": SESSIONS})
    with pytest.raises(stripe.APIConnectionError):
        create(bench)
    (made,) = bench.sessions()
    assert create(bench).id == made["id"]
    assert [call["fault"] for call in bench.requests()] == ["drop_after", None]


def test_the_sdk_finds_the_lost_session_by_retrying(bench: RunningWorkbench) -> None:
    bench.post("/faults", {"do": "drop_after", "path": SESSIONS})
    session = create(bench, retries=1)
    assert [made["id"] for made in bench.sessions()] == [session.id]


@pytest.mark.parametrize(("made", "sessions"), [(False, 0), (True, 1)])
def test_an_answer_may_take_longer_than_anyone_waits(bench: RunningWorkbench, made: bool, sessions: int) -> None:
    bench.post("/faults", {"do": "timeout", "seconds": 30, "made": made})
    with pytest.raises(stripe.APIConnectionError):
        create(bench, read=0.3)
    assert len(bench.sessions()) == sessions


def test_a_fault_strikes_as_often_as_it_says_and_only_where(bench: RunningWorkbench) -> None:
    bench.post("/faults", {"do": 503, "times": 2, "path": SESSIONS})
    client = stripe_client(bench)
    client.v1.events.list()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            create(bench)
    assert create(bench).status == "open"


def test_a_fault_for_ever_lasts_until_it_is_cleared(bench: RunningWorkbench) -> None:
    bench.post("/faults", {"do": "503", "times": -1})
    for _ in range(3):
        with pytest.raises(stripe.APIError):
            create(bench)
    bench.post("/faults/clear")
    assert create(bench).status == "open"


def test_a_fault_may_strike_by_chance(bench: RunningWorkbench) -> None:
    bench.post("/faults", {"do": "503", "times": -1, "probability": 0.5})
    struck = 0
    for _ in range(40):
        try:
            stripe_client(bench).v1.events.list()
        except stripe.APIError:
            struck += 1
    assert 0 < struck < 40


def test_an_unknown_fault_is_refused(bench: RunningWorkbench) -> None:
    with pytest.raises(AssertionError, match="do"):
        bench.post("/faults", {"do": "explode"})
