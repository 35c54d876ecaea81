"""Cases 15 and 38: rehearsal money and real money never meet, in an event, at the till, or in the settings."""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.buyer import Till
from tests.running import ROOT
from tests.stripe_cases.conftest import OpenScene
from tests.stripe_cases.purchases import Purchase
from tests.stripe_cases.records import change
from tests.stripe_cases.scene import Scene
from tests.stripe_cases.verdicts import assert_booked_once, assert_nothing_issued

LIVE = {"STRIPE_SECRET_KEY": "sk_live_0123456789abcdef", "STRIPE_API_BASE": "", "GIFTSHOP_LIMITS": "real"}
WORKBENCH = "http://127.0.0.1:8001"


def test_case_15_a_live_shop_takes_neither_events_nor_certificates_of_a_rehearsal(open_scene: OpenScene) -> None:
    scene = open_scene(GIFTSHOP_JOBS="worker")  # and no worker: a live shop's jobs would call the real Stripe
    sold, unpaid = Purchase(scene).place(**{"gifts-0-delivery": "print"}).pay(), Purchase(scene).place()
    code = re.findall(r'href="/c/(\w+)"', sold.open().text)[0]
    event, till = unpaid.settle_untold(), Till(scene.shop)
    scene.browsers.append(till.browser)
    go_live(scene)
    assert scene.tell(event).status_code == 200
    assert [row["kind"] for row in scene.records.alerts(event["id"])] == ["wrong_mode_event"]
    assert unpaid.state == "awaiting_payment"
    assert_nothing_issued(unpaid)
    assert_worthless(scene, till, code)
    assert_booked_once(sold)


def go_live(scene: Scene) -> None:
    """Start the shop with a live key, on the rehearsal's database that somebody has stamped live.

    It starts without https, which production would refuse: a live key alone is refused outside production.
    """
    scene.shop.kill_web()
    change(scene.records.path, "UPDATE installation SET mode = 'live'")
    scene.shop.environment.update(LIVE)
    scene.shop.wsgi_app = "tests.stripe_cases.rehearsing:app"
    scene.shop.start_web()


def assert_worthless(scene: Scene, till: Till, code: str) -> None:
    """The till shows that this is no money, and takes nothing from it however it is asked."""
    certificate = till.find(code)
    shown = till.browser.get(f"{scene.shop.url}/redeem/{certificate}", timeout=30).text
    assert "A test certificate" in shown
    assert "It was made for a rehearsal and has no value here" in shown
    answer = till.redeem(certificate, "10", key=secrets.token_hex(16), token=till.token(certificate))
    assert answer.status_code == 409
    assert answer.json()["error"] == "This is a test certificate. It has no value here."


@pytest.mark.parametrize(
    ("mixed", "sentence"),
    [
        ({"STRIPE_SECRET_KEY": LIVE["STRIPE_SECRET_KEY"], "STRIPE_API_BASE": WORKBENCH}, "goes with a simulated key"),
        ({"STRIPE_SECRET_KEY": "rk_test_0123456789", "STRIPE_API_BASE": WORKBENCH}, "goes with a simulated key"),
        ({"STRIPE_API_BASE": "http://192.0.2.1:8001"}, "must be an http address of this machine"),
        ({"STRIPE_API_BASE": WORKBENCH, "GIFTSHOP_ENV": "production"}, "production needs a real one"),
    ],
    ids=["live key, simulated Stripe", "test key, simulated Stripe", "simulated key, far away", "simulated production"],
)
def test_case_38_mixed_modes_refuse_to_start(tmp_path: Path, mixed: dict[str, str], sentence: str) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "settings", "check"]
    environment = {**production_in_all_else(tmp_path), **mixed}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert sentence in line
    assert mixed.get("STRIPE_SECRET_KEY", "sk_test_sim_") not in line


def test_case_38_no_server_comes_up_with_mixed_modes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "--bind", "127.0.0.1:0", "wsgi:app"]
    environment = {**production_in_all_else(tmp_path), **LIVE, "STRIPE_API_BASE": WORKBENCH}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "STRIPE_API_BASE goes with a simulated key (sk_test_sim_…), and such a key with it alone." in done.stderr
    assert not (tmp_path / "shop.sqlite").exists()


def production_in_all_else(folder: Path) -> dict[str, str]:
    """Return an environment with which the shop would start, but for what a test mixes into it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIFTSHOP_", "STRIPE_"))}
    return {
        **inherited,
        "GIFTSHOP_BASE_URL": "https://gifts.example.com",
        "DATABASE_URL": f"sqlite:///{folder / 'shop.sqlite'}",
        "GIFTSHOP_SECRET_KEY": secrets.token_hex(32),
        "GIFTSHOP_CODE_PEPPER": secrets.token_hex(32),
        "GIFTSHOP_CODE_KEYS": secrets.token_hex(32),
        "STRIPE_SECRET_KEY": "sk_test_sim_0123456789abcdef",
        "STRIPE_WEBHOOK_SECRET": "whsec_sim_0123456789abcdef",
        "SMTP_URL": "smtp://mail.example.com:587",
        "GIFTSHOP_MAIL_FROM": "gifts@example.com",
    }
