"""A call with an Idempotency-Key is made once, whatever happens to its answers."""

import threading

import pytest
import stripe

from tests.workbench.running import RunningWorkbench, stripe_client
from tests.workbench.samples import headers_of, session_params

KEY: stripe.RequestOptions = {"idempotency_key": "shop:order:1:cs:1"}


def test_the_same_call_again_gets_the_first_answer(bench: RunningWorkbench, client: stripe.StripeClient) -> None:
    params = session_params()
    first = client.v1.checkout.sessions.create(params=params, options=KEY)
    again = client.v1.checkout.sessions.create(params=params, options=KEY)
    assert again.id == first.id
    assert headers_of(again)["Idempotent-Replayed"] == "true"
    assert headers_of(again)["Original-Request"] == headers_of(first)["Request-Id"]
    assert len(bench.sessions()) == 1


def test_the_first_answer_is_given_again_even_when_the_session_has_changed(
    bench: RunningWorkbench, client: stripe.StripeClient
) -> None:
    params = session_params()
    first = client.v1.checkout.sessions.create(params=params, options=KEY)
    bench.post(f"/sessions/{first.id}/settle", {"outcome": "pay"})
    assert client.v1.checkout.sessions.create(params=params, options=KEY).status == "open"


def test_the_same_key_with_other_parameters_is_refused(client: stripe.StripeClient) -> None:
    params = session_params()
    client.v1.checkout.sessions.create(params=params, options=KEY)
    params["expires_at"] += 1
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(params=params, options=KEY)


def test_a_call_that_did_not_validate_leaves_its_key_unused(client: stripe.StripeClient) -> None:
    wrong = session_params()
    wrong["expires_at"] = 1
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(params=wrong, options=KEY)
    assert client.v1.checkout.sessions.create(params=session_params(), options=KEY).status == "open"


def test_a_refusal_that_was_decided_is_kept_under_its_key(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, str]
) -> None:
    params: stripe.params.RefundCreateParams = {"payment_intent": paid["payment_intent"]}
    dispute = bench.post("/disputes", {"session": paid["id"]})
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create(params=params, options=KEY)
        assert refused.value.code == "charge_disputed"
        bench.post(f"/disputes/{dispute['id']}/close", {"status": "won"})
    assert bench.requests()[-1]["replayed"] is True


def test_a_key_is_forgotten_after_a_day(bench: RunningWorkbench, client: stripe.StripeClient) -> None:
    params = session_params()
    del params["expires_at"]
    first = client.v1.checkout.sessions.create(params=params, options=KEY)
    bench.post("/clock", {"advance": 86401})
    second = client.v1.checkout.sessions.create(params=params, options=KEY)
    assert second.id != first.id


def test_a_key_in_use_is_a_conflict(bench: RunningWorkbench) -> None:
    bench.post("/faults", {"do": "timeout", "seconds": 3, "made": True, "path": "/v1/checkout/sessions"})
    params = session_params()
    started = threading.Event()

    def hang() -> None:
        started.set()
        with pytest.raises(stripe.APIConnectionError):
            stripe_client(bench, read=1.5).v1.checkout.sessions.create(params=params, options=KEY)

    thread = threading.Thread(target=hang)
    thread.start()
    started.wait()
    _wait_for_session(bench)
    with pytest.raises(stripe.APIError) as refused:
        stripe_client(bench).v1.checkout.sessions.create(params=params, options=KEY)
    thread.join()
    assert refused.value.http_status == 409
    assert refused.value.error is not None
    assert refused.value.error.code == "idempotency_key_in_use"


def test_a_saved_500_is_given_again(bench: RunningWorkbench, client: stripe.StripeClient) -> None:
    bench.post("/faults", {"do": "500", "saved": True})
    params = session_params()
    for _ in range(2):
        with pytest.raises(stripe.APIError) as refused:
            client.v1.checkout.sessions.create(params=params, options=KEY)
        assert refused.value.http_status == 500
    assert bench.sessions() == []


def test_a_key_is_at_most_255_characters(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(params=session_params(), options={"idempotency_key": "k" * 256})


def _wait_for_session(bench: RunningWorkbench) -> None:
    pause = threading.Event()
    for _ in range(200):
        if bench.sessions():
            return
        pause.wait(0.02)
    raise AssertionError("the session was not made")
