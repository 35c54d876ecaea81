"""Every setting of the shop, typed and checked once at start, for whoever builds the app or a command."""

import re
import socket
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from giftshop.errors import SettingsError
from giftshop.foundation.environment import make_secrets_once, read_dot_env, read_environment

ROOT = Path(__file__).resolve().parent.parent.parent
Mode = Literal["simulated", "test", "live"]
_KEY = re.compile(r"(sk|rk)_(test_sim|test|live)_\w{8,}", re.ASCII)
_ORIGIN = re.compile(r"https?://[^/?#@\s]+", re.ASCII)
_MIN_SECRET = 32


class Settings(BaseSettings):
    """What the environment says; lists are comma separated, newest first."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    env: Literal["development", "production"] = Field("development", alias="GIFTSHOP_ENV")
    secret_key: str = Field("", alias="GIFTSHOP_SECRET_KEY")
    code_pepper: str = Field("", alias="GIFTSHOP_CODE_PEPPER")
    code_keys: str = Field("", alias="GIFTSHOP_CODE_KEYS")
    base_url: str = Field("http://127.0.0.1:8000", alias="GIFTSHOP_BASE_URL")
    proxy_hops: int = Field(0, alias="GIFTSHOP_PROXY_HOPS", ge=0, le=5)
    database_url: str = Field("sqlite:///instance/giftshop.sqlite", alias="DATABASE_URL")
    stripe_secret_key: str = Field("", alias="STRIPE_SECRET_KEY")
    stripe_webhook_secret: str = Field("", alias="STRIPE_WEBHOOK_SECRET")
    stripe_api_base: str = Field("", alias="STRIPE_API_BASE")
    workbench_port: int = Field(8001, alias="WORKBENCH_PORT", ge=1, le=65535)
    smtp_url: str = Field("", alias="SMTP_URL")
    mail_from: str = Field("gifts@localhost", alias="GIFTSHOP_MAIL_FROM")
    jobs: Literal["embedded", "worker"] = Field("embedded", alias="GIFTSHOP_JOBS")
    limits: Literal["real", "wide"] = Field("real", alias="GIFTSHOP_LIMITS")
    ratelimit_storage_uri: str = Field("", alias="GIFTSHOP_RATELIMIT_STORAGE_URI")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", alias="GIFTSHOP_LOG_LEVEL")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic-settings names the parameters
        init_settings: PydanticBaseSettingsSource,
        *_rest: Any,
        **_others: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `read_settings` hands over: it has read the environment, where empty means unset."""
        return (init_settings,)

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def workbench_url(self) -> str:
        """Where the simulated Stripe and the captured mailbox answer in development."""
        return self.stripe_api_base or f"http://127.0.0.1:{self.workbench_port}"

    @property
    def stripe_mode(self) -> Mode:
        """What the key's prefix says: live, test or simulated money."""
        match = _KEY.fullmatch(self.stripe_secret_key)
        modes: dict[str, Mode] = {"test_sim": "simulated", "test": "test", "live": "live"}
        return modes[match[2]] if match else "simulated"

    @property
    def webhook_secrets(self) -> list[str]:
        return _split(self.stripe_webhook_secret)

    @property
    def code_pepper_list(self) -> list[bytes]:
        return [pepper.encode() for pepper in _split(self.code_pepper)]

    @cached_property
    def code_key_list(self) -> list[bytes]:
        """AES-256 keys for codes, 32 bytes each, newest first; written in hex."""
        return [bytes.fromhex(key) for key in _split(self.code_keys)]

    @property
    def host(self) -> str:
        """The host, with its port if it has one, that links and QR codes carry."""
        return urlsplit(self.base_url).netloc


def read_settings(
    environment: dict[str, str] | None = None, *, root: Path = ROOT, defaults: dict[str, str] | None = None
) -> Settings:
    """Read and check every setting; in development fill what is missing from `.env`, `defaults` and `instance/`.

    Raises SettingsError naming everything that is wrong, one line each.
    """
    values = read_environment() if environment is None else environment
    if values.get("GIFTSHOP_ENV", "development") != "production":
        made, written = make_secrets_once(root / "instance"), read_dot_env(root / ".env")
        values = {**made, **(defaults or {}), **written, **values}
        if values.get("GIFTSHOP_ENV") == "production":
            raise SettingsError("GIFTSHOP_ENV=production belongs in the environment: .env is for development only.")
    names = {field.alias for field in Settings.model_fields.values()}
    try:
        settings = Settings.model_validate({k: v for k, v in values.items() if k in names and v != ""})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise SettingsError("\n".join(lines)) from None
    settings = _resolved(settings, root)
    if wrong := check_settings(settings):
        raise SettingsError("\n".join(wrong))
    return settings


def check_settings(settings: Settings) -> list[str]:
    """Name everything that is wrong with the settings, one sentence each; empty when all is well."""
    return [
        *_wrong_secrets(settings),
        *_wrong_stripe(settings),
        *_wrong_addresses(settings),
        *(_wrong_in_production(settings) if settings.is_production else []),
    ]


def _resolved(settings: Settings, root: Path) -> Settings:
    changes: dict[str, str] = {"base_url": settings.base_url.rstrip("/")}
    prefix = "sqlite:///"
    if settings.database_url.startswith(prefix) and not settings.database_url.startswith(prefix + "/"):
        changes["database_url"] = prefix + str(root / settings.database_url.removeprefix(prefix))
    if not settings.is_production and settings.stripe_mode == "simulated":
        changes["stripe_api_base"] = settings.workbench_url
    return settings.model_copy(update=changes)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _wrong_secrets(settings: Settings) -> list[str]:
    wrong = [
        f"{name} is missing or shorter than {_MIN_SECRET} characters."
        for name, values in (
            ("GIFTSHOP_SECRET_KEY", [settings.secret_key]),
            ("GIFTSHOP_CODE_PEPPER", _split(settings.code_pepper) or [""]),
        )
        if any(len(value) < _MIN_SECRET for value in values)
    ]
    keys = _split(settings.code_keys)
    if not keys or not all(re.fullmatch(r"[0-9a-fA-F]{64}", key) for key in keys):
        wrong.append("GIFTSHOP_CODE_KEYS must be one or more keys of 64 hexadecimal figures, newest first.")
    if not settings.webhook_secrets:
        wrong.append("STRIPE_WEBHOOK_SECRET is missing.")
    return wrong


def _wrong_stripe(settings: Settings) -> list[str]:
    if not _KEY.fullmatch(settings.stripe_secret_key):
        return ["STRIPE_SECRET_KEY must be a secret or restricted key: sk_… or rk_…"]
    if (settings.stripe_mode == "simulated") != bool(settings.stripe_api_base):
        return ["STRIPE_API_BASE goes with a simulated key (sk_test_sim_…), and such a key with it alone."]
    if settings.limits == "wide" and settings.stripe_mode != "simulated":
        return ["GIFTSHOP_LIMITS=wide is for simulated payments: real buyers have the real limits."]
    if settings.stripe_api_base and not _is_loopback(settings.stripe_api_base):
        return ["STRIPE_API_BASE must be an http address of this machine."]
    return []


def _is_loopback(address: str) -> bool:
    try:
        parts = urlsplit(address)
        found = socket.getaddrinfo(parts.hostname or "no.invalid", parts.port or 80)
    except (OSError, ValueError):  # no such host, or no address at all
        return False
    return parts.scheme == "http" and all(ip_address(entry[4][0]).is_loopback for entry in found)


def _wrong_addresses(settings: Settings) -> list[str]:
    wrong = []
    if not _is_address(settings.base_url, "http", "https") or not _ORIGIN.fullmatch(settings.base_url):
        wrong.append("GIFTSHOP_BASE_URL must be like https://gifts.example.com, without a path.")
    if not settings.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
        wrong.append("DATABASE_URL must start with sqlite:/// or postgresql+psycopg://.")
    if settings.smtp_url and not _is_address(settings.smtp_url, "smtp", "smtps"):
        wrong.append("SMTP_URL must be like smtp://user:password@host:587 or smtps://….")
    if "@" not in settings.mail_from or re.search(r"[\s,<>]", settings.mail_from):
        wrong.append("GIFTSHOP_MAIL_FROM must be one e-mail address.")
    if settings.ratelimit_storage_uri and not _is_address(settings.ratelimit_storage_uri, "redis", "rediss"):
        wrong.append("GIFTSHOP_RATELIMIT_STORAGE_URI must be like redis://:password@host:6379/0, or unset.")
    return wrong


def _is_address(text: str, *schemes: str) -> bool:
    """Tell whether this is an address with a host, of one of these schemes, whose port is a port."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _wrong_in_production(settings: Settings) -> list[str]:
    wrong = []
    if not settings.base_url.startswith("https://"):
        wrong.append("GIFTSHOP_BASE_URL must start with https:// in production.")
    if settings.stripe_mode == "simulated":
        wrong.append("STRIPE_SECRET_KEY is a simulated key; production needs a real one.")
    if not settings.smtp_url:
        wrong.append("SMTP_URL is missing: production does not capture mail.")
    return wrong
