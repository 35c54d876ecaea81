"""What the environment says about the workbench, checked once at start, for `__main__` and the tests."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent


class ConfigurationError(Exception):
    """The workbench cannot start; the message is one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Configuration:
    """Everything the workbench is told; `port` 0 means any free one."""

    port: int
    state: Path
    shop_url: str
    stripe_key: str
    webhook_secrets: tuple[str, ...]
    token: str
    seed: str
    bank_seconds: int
    hook: dict[str, Any]
    faults: list[dict[str, Any]]
    checkout_host: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def checkout_url(self) -> str:
        """Where the payment page is: an account may have a domain of its own for it."""
        return f"http://{self.checkout_host}:{self.port}"


def read_configuration(environment: Mapping[str, str]) -> Configuration:
    """Read and check the environment.

    WORKBENCH_PORT (8001), WORKBENCH_STATE (its SQLite file), WORKBENCH_SHOP_URL (events go to its
    /webhooks/stripe), STRIPE_SECRET_KEY (sk_test_sim_…), STRIPE_WEBHOOK_SECRET (whsec_sim_…, the first one
    signs), WORKBENCH_CHECKOUT_HOST (127.0.0.1; localhost is as another domain for the payment page),
    WORKBENCH_TOKEN (for /_sim; made when unset), WORKBENCH_SEED (makes ids repeatable),
    WORKBENCH_BANK_SECONDS (15: how long a delayed payment from the payment page takes), WORKBENCH_HOOK and
    WORKBENCH_FAULTS (JSON: knobs set from the start).

    Raises ConfigurationError; above all in production and beside any key that is not a simulated one.
    """
    if environment.get("GIFTSHOP_ENV", "development") == "production":
        raise ConfigurationError("The workbench simulates payments and refuses to start in production.")
    return Configuration(
        port=_number(environment, "WORKBENCH_PORT", 8001, most=65535),
        state=ROOT / environment.get("WORKBENCH_STATE", "instance/workbench.sqlite"),
        shop_url=_shop_url(environment.get("WORKBENCH_SHOP_URL", "http://127.0.0.1:8000")),
        stripe_key=_simulated(environment, "STRIPE_SECRET_KEY", "sk_test_sim_"),
        webhook_secrets=_secrets(environment),
        token=environment.get("WORKBENCH_TOKEN") or secrets.token_urlsafe(24),
        seed=environment.get("WORKBENCH_SEED") or secrets.token_hex(16),
        bank_seconds=_number(environment, "WORKBENCH_BANK_SECONDS", 15, most=86400),
        hook=_json(environment, "WORKBENCH_HOOK", {}),
        faults=_json(environment, "WORKBENCH_FAULTS", []),
        checkout_host=environment.get("WORKBENCH_CHECKOUT_HOST") or "127.0.0.1",
    )


def _number(environment: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise ConfigurationError(f"{name} must be a whole number from 0 to {most}.")
    return int(text)


def _shop_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigurationError("WORKBENCH_SHOP_URL must be like http://127.0.0.1:8000.")
    return text.rstrip("/")


def _simulated(environment: Mapping[str, str], name: str, prefix: str) -> str:
    value = environment.get(name, "")
    if not value.startswith(prefix) or not value.isascii():
        raise ConfigurationError(f"{name} must start with {prefix}; the workbench works with no other key.")
    return value


def _secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    name = "STRIPE_WEBHOOK_SECRET"
    parts = [part.strip() for part in environment.get(name, "").split(",") if part.strip()]
    return tuple(_simulated({name: part}, name, "whsec_sim_") for part in parts or [""])


def _json(environment: Mapping[str, str], name: str, default: Any) -> Any:
    try:
        value = json.loads(environment.get(name) or json.dumps(default))
    except ValueError:
        value = None
    if not isinstance(value, type(default)):
        raise ConfigurationError(f"{name} must be JSON like {json.dumps(default)}.")
    return value
