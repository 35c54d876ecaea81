"""The shop in production mode: gunicorn by deploy/gunicorn.py, a worker of its own, and `flask …` beside them."""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.databases import PostgresServer
from tests.rig.network import MAIL, SHOP
from tests.rig.post import PASSWORD, SENDER, USER
from tests.rig.stripe_side import KEY, SIGNING_SECRET
from tests.rig.waiting import wait_for_port

ROOT = Path(__file__).resolve().parent.parent.parent
BASE = f"https://{SHOP}"
SMTP = f"smtp://{USER}:{quote(PASSWORD, safe='')}@{MAIL}:587"
FILLED = {
    "name": "Practice of the Rig",
    "short_name": "The Rig",
    "legal_name": "Rig LLC",
    "address": "1 Harbor Street, Denver, CO 80202",
    "phone": "+1 303 555 0100",
    "email": "hello@practice.example",
    "booking_url": "https://practice.example/book",
    "time_zone": "America/Denver",
    "place": "US-CO",
}
"""The practice, as somebody fills in the form that `flask practice show` gives."""


class Shop:
    """The shop's processes; `environment` is what they are told, `log` what they say."""

    def __init__(self, folder: Path, authorities: Path, postgres: PostgresServer) -> None:
        self.folder, self.log = folder, folder / "shop.log"
        name = urlsplit(postgres.empty_database()).path.strip("/")
        self.database = postgres.address_with_password(name, user="giftshop", password=secrets.token_urlsafe(16))
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "REQUESTS_CA_BUNDLE": str(authorities),
            "SSL_CERT_FILE": str(authorities),
            "GIFTSHOP_ENV": "production",
            "GIFTSHOP_SECRET_KEY": secrets.token_hex(32),
            "GIFTSHOP_CODE_PEPPER": secrets.token_hex(32),
            "GIFTSHOP_CODE_KEYS": secrets.token_hex(32),
            "GIFTSHOP_BASE_URL": BASE,
            "GIFTSHOP_PROXY_HOPS": "1",
            "GIFTSHOP_JOBS": "worker",
            "GIFTSHOP_MAIL_FROM": SENDER,
            "SMTP_URL": SMTP,
            "DATABASE_URL": self.database,
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": SIGNING_SECRET,
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def prepare(self) -> str:
        """Migrate the database, set the practice up, hire its owner; return the owner's first password."""
        self.flask("db", "upgrade")
        form = self.flask("practice", "show").stdout
        for name, value in FILLED.items():
            assert f'\n{name} = ""\n' in form, name
            form = form.replace(f'\n{name} = ""\n', f'\n{name} = "{value}"\n', 1)
        file = self.folder / "practice.toml"
        file.write_text(form)
        self.flask("practice", "set", str(file))
        return self.flask("staff", "add", OWNER, "--role", "owner", "--name", "Olga").stdout.split()[-1]

    def start(self, **changes: str) -> None:
        """Start gunicorn and one worker, with some settings changed."""
        environment = {**self.environment, **changes}
        gunicorn = ["gunicorn", "-c", str(ROOT / "deploy/gunicorn.py"), "--bind", "127.0.0.1:8000"]
        for words in (gunicorn, ["flask", "--app", "wsgi", "worker"]):
            with self.log.open("ab") as log:
                command = [sys.executable, "-m", *words]
                self._running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        wait_for_port("127.0.0.1", 8000, self._running[0])

    def stop(self) -> None:
        """Stop both, gently first."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def flask(self, *words: str, fails: bool = False, **changes: str) -> "subprocess.CompletedProcess[str]":
        """Run a `flask …` command with the shop's settings, some changed ("" unsets); by default it must succeed."""
        environment = {name: value for name, value in {**self.environment, **changes}.items() if value}
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False
        )
        assert fails or done.returncode == 0, f"flask {' '.join(words)}: {done.stdout}{done.stderr}"
        return done

    def starts_with(self, **changes: str) -> "subprocess.CompletedProcess[str]":
        """Try to start gunicorn with some settings changed; it must refuse."""
        environment = {name: value for name, value in {**self.environment, **changes}.items() if value}
        command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "deploy/gunicorn.py"), "--bind", "127.0.0.1:8009"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            said, _ = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[0] + "\n(it started)"
        return subprocess.CompletedProcess(command, process.returncode, said, "")


OWNER = "olga@practice.example"
os.environ.setdefault("LANG", "C.UTF-8")
