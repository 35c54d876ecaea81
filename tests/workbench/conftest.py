"""One workbench for these tests, emptied for each test; afterwards all it said must fit the SDK's own types."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.stripe_schema import validate_event, validate_object
from tests.workbench.receiver import Receiver, receiving
from tests.workbench.running import RunningWorkbench, start_workbench, stripe_client
from tests.workbench.samples import MakeSession, session_params


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorkbench]:
    with start_workbench(tmp_path_factory.mktemp("workbench")) as bench:
        yield bench
    assert bench.log.read_text() == ""


@pytest.fixture
def bench(started: RunningWorkbench) -> Iterator[RunningWorkbench]:
    started.post("/reset")
    yield started
    _check_everything(started)


@pytest.fixture
def shop(bench: RunningWorkbench) -> Iterator[Receiver]:
    with receiving() as receiver:
        bench.post("/shop", {"url": receiver.url})
        yield receiver
        bench.post("/shop", {"url": "http://127.0.0.1:9"})


@pytest.fixture
def client(bench: RunningWorkbench) -> stripe.StripeClient:
    return stripe_client(bench)


@pytest.fixture
def make_session(client: stripe.StripeClient) -> MakeSession:
    def make(**changes: Any) -> Any:
        params = session_params()
        params.update(changes)
        return client.v1.checkout.sessions.create(params=params)

    return make


@pytest.fixture
def paid(bench: RunningWorkbench, make_session: MakeSession) -> dict[str, Any]:
    """A paid session of 5000 usd."""
    session = make_session()
    answer: dict[str, Any] = bench.post(f"/sessions/{session.id}/settle", {"outcome": "pay"})["session"]
    return answer


def _check_everything(bench: RunningWorkbench) -> None:
    state = bench.get("/state")
    for event in state["events"]:
        validate_event(event)
    for kind in ("sessions", "payment_intents", "charges", "refunds", "disputes"):
        for item in state[kind]:
            validate_object(item)
    for call in bench.requests():
        if call["status"] == 200 and call["answer"]:
            validate_object(call["answer"])
