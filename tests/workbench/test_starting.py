"""When the workbench starts, when it refuses to, who it answers to, and what it remembers."""

import ast
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import requests
import stripe

from tests.workbench.receiver import receiving
from tests.workbench.running import ROOT, RunningWorkbench, start_workbench, stripe_client
from tests.workbench.samples import session_params

GOOD = {"STRIPE_SECRET_KEY": "sk_test_sim_x", "STRIPE_WEBHOOK_SECRET": "whsec_sim_x", "WORKBENCH_PORT": "0"}


def refusal(tmp_path: Path, **changes: str) -> str:
    """What the workbench says when it does not start."""
    environment = {**os.environ, "WORKBENCH_STATE": str(tmp_path / "s.sqlite"), **GOOD, **changes}
    done = subprocess.run(
        [sys.executable, "-m", "giftshop.workbench"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GIFTSHOP_ENV", "production", "refuses to start in production"),
        ("STRIPE_SECRET_KEY", "sk_live_0123456789", "STRIPE_SECRET_KEY must start with sk_test_sim_"),
        ("STRIPE_SECRET_KEY", "sk_test_0123456789", "STRIPE_SECRET_KEY must start with sk_test_sim_"),
        ("STRIPE_SECRET_KEY", "", "STRIPE_SECRET_KEY must start with sk_test_sim_"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_sim_a,whsec_b", "STRIPE_WEBHOOK_SECRET must start with whsec_sim_"),
        ("STRIPE_WEBHOOK_SECRET", "", "STRIPE_WEBHOOK_SECRET must start with whsec_sim_"),
        ("WORKBENCH_PORT", "70000", "WORKBENCH_PORT must be a whole number"),
        ("WORKBENCH_PORT", "٣", "WORKBENCH_PORT must be a whole number"),
        ("WORKBENCH_SHOP_URL", "shop", "WORKBENCH_SHOP_URL must be like"),
        ("WORKBENCH_HOOK", "[]", "WORKBENCH_HOOK must be JSON like {}"),
        ("WORKBENCH_FAULTS", "{", "WORKBENCH_FAULTS must be JSON like []"),
    ],
)
def test_it_refuses_to_start_with_one_sentence(tmp_path: Path, name: str, value: str, words: str) -> None:
    said = refusal(tmp_path, **{name: value})
    assert words in said
    assert len(said.splitlines()) == 1
    assert value == "" or name != "STRIPE_SECRET_KEY" or value not in said


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = refusal(tmp_path, WORKBENCH_PORT=port)
    assert f"Port {port} cannot be used" in said


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    with start_workbench(tmp_path) as bench:
        processes = [psutil.Process(bench.process.pid), *psutil.Process(bench.process.pid).children()]
        listening = {
            connection.laddr.ip
            for process in processes
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8001", "192.168.0.7"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/_sim", "/v1/events", "/mailbox/messages.json"])
def test_it_answers_to_no_other_name(bench: RunningWorkbench, path: str, host: str) -> None:
    answer = requests.get(bench.url + path, headers={"Host": host}, timeout=10)
    assert answer.status_code == 400


def test_it_answers_to_localhost(bench: RunningWorkbench) -> None:
    answer = requests.get(f"{bench.url}/healthz", headers={"Host": "localhost:8001"}, timeout=10)
    assert (answer.status_code, answer.text) == (200, "ok")


@pytest.mark.parametrize("path", ["/", "/_sim", "/mailbox", "/nowhere", "/v1/events", "/_sim/state"])
def test_no_other_site_may_read_or_frame_it(bench: RunningWorkbench, path: str) -> None:
    answer = requests.get(bench.url + path, headers={"Origin": "https://evil.example"}, timeout=10)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_first_page_explains_what_it_is(bench: RunningWorkbench) -> None:
    page = requests.get(bench.url, timeout=10).text
    assert "instead of Stripe" in page
    assert 'href="/_sim"' in page
    assert 'href="/mailbox"' in page


def test_a_restart_remembers_everything_and_delivers_what_was_not_delivered(tmp_path: Path) -> None:
    with start_workbench(tmp_path) as bench:
        session = stripe_client(bench).v1.checkout.sessions.create(
            params=session_params(), options={"idempotency_key": "k"}
        )
        bench.post(f"/sessions/{session.id}/expire")
        params = session_params() | {"expires_at": session.expires_at}
        port = bench.url.rsplit(":", 1)[1]
    with receiving() as shop, start_workbench(tmp_path, shop.url, WORKBENCH_PORT=port) as again:
        assert [known["id"] for known in again.sessions()] == [session.id]
        replayed = stripe_client(again).v1.checkout.sessions.create(params=params, options={"idempotency_key": "k"})
        assert replayed.id == session.id
        (received,) = shop.wait_for(1)
        assert received.event(again.webhook_secret)["type"] == "checkout.session.expired"


def test_what_was_being_delivered_when_it_was_killed_is_delivered_again(tmp_path: Path) -> None:
    with receiving() as shop:
        shop.open.clear()
        bench = start_workbench(tmp_path, shop.url)
        with bench.http:
            session = stripe_client(bench).v1.checkout.sessions.create(params=session_params())
            bench.post(f"/sessions/{session.id}/expire")
            shop.wait_for(1)
            for process in [*psutil.Process(bench.process.pid).children(), bench.process]:
                process.kill()
            bench.process.wait()
        shop.open.set()
        with start_workbench(tmp_path, shop.url):
            first, second = shop.wait_for(2)
    assert first.body == second.body


def test_the_same_seed_makes_the_same_ids(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        with start_workbench(tmp_path / name, WORKBENCH_SEED="42") as bench:
            made.append(stripe_client(bench).v1.checkout.sessions.create(params=session_params()).id)
    assert made[0] == made[1]


def test_knobs_can_be_set_by_the_environment(tmp_path: Path) -> None:
    fault = '[{"do": "503", "times": 1, "probability": 1, "method": "*", "path": "*", "saved": false, "made": false}]'
    with start_workbench(tmp_path, WORKBENCH_HOOK='{"delay": 5}', WORKBENCH_FAULTS=fault) as bench:
        assert bench.get("/state")["hook"] == {"delay": 5}
        with pytest.raises(stripe.APIError):
            stripe_client(bench).v1.events.list()
        assert stripe_client(bench).v1.events.list().data == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_and_leaves_no_process_behind(tmp_path: Path, how: signal.Signals) -> None:
    bench = start_workbench(tmp_path)
    with bench.http:
        processes = [psutil.Process(bench.process.pid), *psutil.Process(bench.process.pid).children(recursive=True)]
        bench.process.send_signal(how)
        _, alive = psutil.wait_procs(processes, timeout=10)
    assert bench.process.wait() == 0
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    assert bench.log.read_text() == ""


def test_it_imports_nothing_of_the_shop() -> None:
    for path in (ROOT / "giftshop" / "workbench").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            ours = [name for name in names if name.startswith("giftshop")]
            assert all(name.startswith("giftshop.workbench") for name in ours), path.name


def test_nothing_of_the_shop_imports_it() -> None:
    for path in (ROOT / "giftshop").rglob("*.py"):
        if "workbench" not in path.parts:
            assert "import giftshop.workbench" not in path.read_text(), path
            assert "from giftshop.workbench" not in path.read_text(), path
