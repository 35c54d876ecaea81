"""Every setting of the shop, typed and checked once at start, for whoever builds the app or a command."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import idna
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from giftshop.errors import SettingsError
from giftshop.foundation.environment import make_secrets_once, read_dot_env, read_environment
from giftshop.foundation.setting_checks import STRIPE_KEY, list_wrong, split_list

ROOT = Path(__file__).resolve().parent.parent.parent
Mode = Literal["simulated", "test", "live"]
_DATABASE = "sqlite:///instance/giftshop.sqlite"
_USUAL_PORTS = {"http": 80, "https": 443}


class Settings(BaseSettings):
    """What the environment says; lists are comma separated, newest first."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    env: Literal["development", "production"] = Field("development", alias="GIFTSHOP_ENV")
    secret_key: str = Field("", alias="GIFTSHOP_SECRET_KEY")
    code_pepper: str = Field("", alias="GIFTSHOP_CODE_PEPPER")
    code_keys: str = Field("", alias="GIFTSHOP_CODE_KEYS")
    base_url: str = Field("http://127.0.0.1:8000", alias="GIFTSHOP_BASE_URL")
    proxy_hops: int = Field(0, alias="GIFTSHOP_PROXY_HOPS", ge=0, le=5)
    database_url: str = Field("", alias="DATABASE_URL")
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
        match = STRIPE_KEY.fullmatch(self.stripe_secret_key)
        modes: dict[str, Mode] = {"test_sim": "simulated", "test": "test", "live": "live"}
        return modes[match[2]] if match else "simulated"

    @property
    def webhook_secrets(self) -> list[str]:
        return split_list(self.stripe_webhook_secret)

    @property
    def secret_key_list(self) -> list[str]:
        """Keys that sign sessions, form tokens and links, newest first: it signs, the older ones are still believed."""
        return split_list(self.secret_key)

    @property
    def signing_keys(self) -> list[str]:
        """The same keys as itsdangerous takes them: oldest first, and the last one signs."""
        return self.secret_key_list[::-1]

    @property
    def says_proxy_hops(self) -> bool:
        """Tell whether somebody said how many proxies there are; none may be what was meant, or what was forgotten."""
        return "proxy_hops" in self.model_fields_set

    @property
    def code_pepper_list(self) -> list[bytes]:
        return [pepper.encode() for pepper in split_list(self.code_pepper)]

    @cached_property
    def code_key_list(self) -> list[bytes]:
        """AES-256 keys for codes, 32 bytes each, newest first; written in hex."""
        return [bytes.fromhex(key) for key in split_list(self.code_keys)]

    @property
    def host(self) -> str:
        """The host, with its port if it has one, that links and QR codes carry."""
        return urlsplit(self.base_url).netloc

    @property
    def host_name(self) -> str:
        """The host without its port."""
        return self.host.removesuffix(f":{urlsplit(self.base_url).port}")


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
    if wrong := list_wrong(settings):
        raise SettingsError("\n".join(wrong))
    return settings


def canonical_origin(text: str) -> str:
    """Return an origin as browsers write it: lower case, no usual port, no dot at its end, other scripts in Punycode.

    What is no origin is returned as it is, for `list_wrong` to name.
    """
    bare = text.rstrip("/")
    try:
        parts = urlsplit(bare)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        plain = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except (ValueError, idna.IDNAError):
        return bare
    if not plain or bare.partition("://")[2] != parts.netloc or "@" in parts.netloc:
        return bare
    name = f"[{plain}]" if ":" in plain else plain
    return f"{parts.scheme}://{name}" + ("" if port in (None, _USUAL_PORTS.get(parts.scheme)) else f":{port}")


def _resolved(settings: Settings, root: Path) -> Settings:
    changes: dict[str, str] = {"base_url": canonical_origin(settings.base_url)}
    prefix, database = "sqlite:///", settings.database_url or ("" if settings.is_production else _DATABASE)
    is_relative = database.startswith(prefix) and not database.startswith(prefix + "/")
    changes["database_url"] = prefix + str(root / database.removeprefix(prefix)) if is_relative else database
    if not settings.is_production and settings.stripe_mode == "simulated":
        changes["stripe_api_base"] = settings.workbench_url
    return settings.model_copy(update=changes)
