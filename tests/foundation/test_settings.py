"""Settings: made once for a newcomer, and a start that is refused, with every reason at once, when they are wrong."""

import json
import secrets
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from giftshop.errors import SettingsError
from giftshop.foundation.setting_checks import is_weak, list_doubtful
from giftshop.foundation.settings import Settings, read_settings

NEW, OLD = "k8vQ2mT7bR4dH9wK1M2Qx5zL3pYs6nGf", "Zr5uJ1cW8eX0yB6tN3aV7iD9oF4hS2lP"
KEY, OLD_KEY = (
    "3f9a1c70d2e84b56a7f0c1938e5d6b42907af3c8be15d4069c2178ea5b3d60f4",
    "7c" + "1e90b5a3d2f84" * 4 + "6bd803f2a9",
)

PRODUCTION = {
    "GIFTSHOP_ENV": "production",
    "GIFTSHOP_SECRET_KEY": NEW,
    "GIFTSHOP_CODE_PEPPER": OLD,
    "GIFTSHOP_CODE_KEYS": KEY,
    "GIFTSHOP_BASE_URL": "https://gifts.example.com",
    "DATABASE_URL": "postgresql+psycopg://shop@db/shop",
    "STRIPE_SECRET_KEY": "sk_live_0123456789",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789",
    "SMTP_URL": "smtp://user:secret@mail.example.com:587",
    "GIFTSHOP_MAIL_FROM": "gifts@example.com",
}


def read(root: Path, **environment: str) -> Settings:
    return read_settings(environment, root=root)


def refusal(root: Path, **environment: str) -> list[str]:
    """Return the sentences with which the start is refused."""
    with pytest.raises(SettingsError) as refused:
        read_settings(environment, root=root)
    return refused.value.message.splitlines()


# --- a newcomer's first start --------------------------------------------------------------------------------------


def test_a_newcomer_needs_no_setting_at_all(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert (settings.env, settings.stripe_mode, settings.jobs) == ("development", "simulated", "embedded")
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.workbench_url == settings.stripe_api_base == "http://127.0.0.1:8001"
    assert settings.database_url == f"sqlite:///{tmp_path}/instance/giftshop.sqlite"
    assert (len(settings.code_key_list[0]), len(settings.code_pepper_list), settings.host) == (32, 1, "127.0.0.1:8000")


def test_secrets_are_made_once_and_for_the_owners_eyes_only(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)
    assert first == second
    assert stat.S_IMODE((tmp_path / "instance" / "secrets.json").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secrets.json"]


def test_two_machines_have_different_secrets(tmp_path: Path) -> None:
    first, second = read(tmp_path / "one"), read(tmp_path / "two")
    for name in ("secret_key", "code_pepper", "code_keys", "stripe_secret_key", "stripe_webhook_secret"):
        assert getattr(first, name) != getattr(second, name)


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_starters_at_once_agree_on_one_set_of_secrets(tmp_path: Path, kind: str) -> None:
    starters: Any = (
        ThreadPoolExecutor(8) if kind == "threads" else ProcessPoolExecutor(2, mp_context=get_context("forkserver"))
    )
    with starters:
        seen = list(starters.map(read, [tmp_path] * 8))
    assert all(settings == seen[0] for settings in seen)
    assert seen[0].secret_key == json.loads((tmp_path / "instance/secrets.json").read_text())["GIFTSHOP_SECRET_KEY"]


def test_the_environment_comes_before_dot_env_and_dot_env_before_what_was_made(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# mine\n\nGIFTSHOP_LOG_LEVEL = 'DEBUG'\nWORKBENCH_PORT=9001\nnot a line\n")
    settings = read(tmp_path, WORKBENCH_PORT="9002")
    assert (settings.log_level, settings.workbench_url) == ("DEBUG", "http://127.0.0.1:9002")


def test_an_empty_variable_means_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIFTSHOP_JOBS", "")
    monkeypatch.setenv("WORKBENCH_PORT", "")
    monkeypatch.delenv("GIFTSHOP_ENV", raising=False)
    assert read_settings(root=tmp_path).jobs == "embedded"


def test_only_the_environment_that_is_handed_over_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://leaked.example.com")
    assert read(tmp_path).smtp_url == ""


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("sk_test_sim_0123456789abcdef", "simulated"),
        ("sk_test_0123456789", "test"),
        ("rk_test_0123456789", "test"),
        ("sk_live_0123456789", "live"),
        ("rk_live_0123456789", "live"),
    ],
)
def test_the_keys_prefix_decides_the_mode(tmp_path: Path, key: str, mode: str) -> None:
    where = PRODUCTION if mode == "live" else {}
    assert read_settings({**where, "STRIPE_SECRET_KEY": key}, root=tmp_path).stripe_mode == mode


@pytest.mark.parametrize("said", [{}, {"GIFTSHOP_ENV": "development"}])
def test_a_live_key_is_refused_where_production_is_not_said(tmp_path: Path, said: dict[str, str]) -> None:
    (sentence,) = refusal(tmp_path, STRIPE_SECRET_KEY="sk_live_0123456789", **said)
    assert sentence == "STRIPE_SECRET_KEY is a live key: real money needs GIFTSHOP_ENV=production."


def test_secrets_being_rotated_are_listed_newest_first(tmp_path: Path) -> None:
    settings = read_settings(
        {
            **PRODUCTION,
            "GIFTSHOP_SECRET_KEY": f"{OLD}, {NEW}",
            "GIFTSHOP_CODE_PEPPER": f"{NEW}, {OLD}",
            "GIFTSHOP_CODE_KEYS": f"{KEY},{OLD_KEY}",
            "STRIPE_WEBHOOK_SECRET": "whsec_newer0123,whsec_older0123,",
            "GIFTSHOP_BASE_URL": "https://gifts.example.com/",
        },
        root=tmp_path,
    )
    assert settings.secret_key_list == [OLD, NEW]
    assert settings.code_pepper_list == [NEW.encode(), OLD.encode()]
    assert settings.code_key_list == [bytes.fromhex(KEY), bytes.fromhex(OLD_KEY)]
    assert settings.webhook_secrets == ["whsec_newer0123", "whsec_older0123"]
    assert (settings.base_url, settings.is_production) == ("https://gifts.example.com", True)


# --- production ----------------------------------------------------------------------------------------------------


def test_production_starts_when_everything_is_said(tmp_path: Path) -> None:
    assert read_settings(PRODUCTION, root=tmp_path).stripe_mode == "live"


def test_production_makes_nothing_up(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SMTP_URL=smtp://127.0.0.1:2525\n")
    read(tmp_path)  # leaves development's secrets in instance/
    wrong = refusal(tmp_path, GIFTSHOP_ENV="production")
    for name in (
        "GIFTSHOP_SECRET_KEY",
        "GIFTSHOP_CODE_PEPPER",
        "GIFTSHOP_CODE_KEYS",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "GIFTSHOP_BASE_URL",
        "GIFTSHOP_MAIL_FROM",
        "DATABASE_URL",
        "SMTP_URL",
    ):
        assert any(line.startswith(name) for line in wrong), name


def test_production_is_not_declared_where_development_secrets_are_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GIFTSHOP_ENV=production\n")
    assert refusal(tmp_path) == ["GIFTSHOP_ENV=production belongs in the environment: .env is for development only."]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("GIFTSHOP_SECRET_KEY", "", "GIFTSHOP_SECRET_KEY is missing"),
        ("GIFTSHOP_SECRET_KEY", "s" * 31, "shorter than 32"),
        ("GIFTSHOP_SECRET_KEY", f"{NEW},short", "shorter than 32"),
        ("GIFTSHOP_SECRET_KEY", "k" * 64, "GIFTSHOP_SECRET_KEY is easy to guess"),
        ("GIFTSHOP_SECRET_KEY", "abcdefgh" * 4, "easy to guess"),
        ("GIFTSHOP_SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789", "easy to guess"),
        ("GIFTSHOP_SECRET_KEY", "0123456789abcdef" * 4, "easy to guess"),
        ("GIFTSHOP_SECRET_KEY", "please-change-me-before-you-go-live!", "easy to guess"),
        ("GIFTSHOP_CODE_PEPPER", "k" * 64, "GIFTSHOP_CODE_PEPPER is easy to guess"),
        ("GIFTSHOP_CODE_PEPPER", f"{'p' * 32},{OLD}", "GIFTSHOP_CODE_PEPPER is easy to guess"),
        ("GIFTSHOP_CODE_KEYS", "0" * 64, "GIFTSHOP_CODE_KEYS is easy to guess"),
        ("GIFTSHOP_CODE_KEYS", "ab" * 32, "GIFTSHOP_CODE_KEYS is easy to guess"),
        ("GIFTSHOP_CODE_PEPPER", "", "GIFTSHOP_CODE_PEPPER is missing"),
        ("GIFTSHOP_CODE_PEPPER", f"{OLD},short", "shorter than 32"),
        ("GIFTSHOP_CODE_KEYS", "", "64 hexadecimal"),
        ("GIFTSHOP_CODE_KEYS", "ab" * 31, "64 hexadecimal"),
        ("GIFTSHOP_CODE_KEYS", "zz" * 32, "64 hexadecimal"),
        ("GIFTSHOP_CODE_KEYS", f"{KEY},{KEY[:32]}", "64 hexadecimal"),
        ("GIFTSHOP_CODE_KEYS", "k" * 64, "64 hexadecimal"),
        ("STRIPE_WEBHOOK_SECRET", "", "STRIPE_WEBHOOK_SECRET is missing"),
        ("STRIPE_WEBHOOK_SECRET", " , ", "STRIPE_WEBHOOK_SECRET is missing"),
        ("STRIPE_WEBHOOK_SECRET", "foo", "is no signing secret"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_", "is no signing secret"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_••••••••", "is no signing secret"),
        ("STRIPE_WEBHOOK_SECRET", "https://gifts.example.com/webhooks/stripe", "is no signing secret"),
        ("STRIPE_WEBHOOK_SECRET", "we_1N0123456789", "is no signing secret"),
        ("STRIPE_WEBHOOK_SECRET", '"whsec_0123456789"', "stands in quotes"),
        ("STRIPE_WEBHOOK_SECRET", "'whsec_0123456789'", "stands in quotes"),
        ("STRIPE_WEBHOOK_SECRET", "sk_live_0123456789", "is an API key"),
        ("STRIPE_WEBHOOK_SECRET", '"rk_live_0123456789"', "is an API key"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789,foo", "is no signing secret"),
        ("STRIPE_SECRET_KEY", "", "sk_… or rk_…"),
        ("STRIPE_SECRET_KEY", "pk_live_0123456789", "sk_… or rk_…"),
        ("STRIPE_SECRET_KEY", "sk_live_", "sk_… or rk_…"),
        ("STRIPE_SECRET_KEY", "sk_test_sim_0123456789", "simulated"),
        ("STRIPE_API_BASE", "http://127.0.0.1:8001", "STRIPE_API_BASE goes with a simulated key"),
        ("GIFTSHOP_BASE_URL", "http://gifts.example.com", "https:// in production"),
        ("GIFTSHOP_BASE_URL", "", "https:// in production"),
        ("GIFTSHOP_BASE_URL", "gifts.example.com", "must be like https://gifts.example.com"),
        ("GIFTSHOP_BASE_URL", "https://gifts.example.com/shop", "without a path"),
        ("GIFTSHOP_BASE_URL", "https://gifts.example.com?a=b", "without a path"),
        ("GIFTSHOP_BASE_URL", "https://gifts.example.com#a", "without a path"),
        ("GIFTSHOP_BASE_URL", "https://user@gifts.example.com", "must be like"),
        ("GIFTSHOP_BASE_URL", "https://gifts.example.com:99999", "must be like"),
        ("GIFTSHOP_BASE_URL", "https://[2001:db8::1]", "must be a name"),
        ("GIFTSHOP_BASE_URL", "https://[::1", "must be like"),
        ("GIFTSHOP_BASE_URL", "https://", "must be like"),
        ("GIFTSHOP_BASE_URL", "javascript://gifts.example.com", "must be like"),
        ("DATABASE_URL", "", "DATABASE_URL is missing. If one file is meant, say so"),
        ("DATABASE_URL", "mysql://db/shop", "DATABASE_URL must start with"),
        ("DATABASE_URL", "postgresql://db/shop", "DATABASE_URL must start with"),
        ("SMTP_URL", "", "production does not capture mail"),
        ("SMTP_URL", "mail.example.com:587", "SMTP_URL must be like"),
        ("SMTP_URL", "http://mail.example.com", "SMTP_URL must be like"),
        ("SMTP_URL", "smtp://", "SMTP_URL must be like"),
        ("SMTP_URL", "smtp://mail.example.com:many", "SMTP_URL must be like"),
        ("GIFTSHOP_MAIL_FROM", "", "GIFTSHOP_MAIL_FROM is missing"),
        ("GIFTSHOP_MAIL_FROM", '"gifts@example.com"', "one e-mail address"),
        ("GIFTSHOP_MAIL_FROM", "gifts", "one e-mail address"),
        ("GIFTSHOP_MAIL_FROM", "a@x.example, b@y.example", "one e-mail address"),
        ("GIFTSHOP_MAIL_FROM", "a@x.example\r\nBcc: b@y.example", "one e-mail address"),
        ("GIFTSHOP_RATELIMIT_STORAGE_URI", "memory://", "GIFTSHOP_RATELIMIT_STORAGE_URI must be like redis://"),
        ("GIFTSHOP_RATELIMIT_STORAGE_URI", "redis://", "GIFTSHOP_RATELIMIT_STORAGE_URI must be like redis://"),
        ("GIFTSHOP_LIMITS", "wide", "GIFTSHOP_LIMITS=wide is for simulated payments"),
        ("GIFTSHOP_LIMITS", "none", "GIFTSHOP_LIMITS"),
        ("GIFTSHOP_JOBS", "sometimes", "GIFTSHOP_JOBS"),
        ("GIFTSHOP_LOG_LEVEL", "CHATTY", "GIFTSHOP_LOG_LEVEL"),
        ("GIFTSHOP_ENV", "Production", "GIFTSHOP_ENV"),
        ("GIFTSHOP_PROXY_HOPS", "-1", "GIFTSHOP_PROXY_HOPS"),
        ("GIFTSHOP_PROXY_HOPS", "6", "GIFTSHOP_PROXY_HOPS"),
        ("WORKBENCH_PORT", "0", "WORKBENCH_PORT"),
        ("WORKBENCH_PORT", "99999", "WORKBENCH_PORT"),
    ],
)
def test_one_wrong_setting_refuses_the_start(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    assert any(sentence in line for line in refusal(tmp_path, **{**PRODUCTION, name: value}))


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    changes = {"GIFTSHOP_CODE_KEYS": "short", "DATABASE_URL": "mysql://", "SMTP_URL": "", "GIFTSHOP_MAIL_FROM": "me"}
    assert len(refusal(tmp_path, **{**PRODUCTION, **changes})) == 4
    assert len(refusal(tmp_path, GIFTSHOP_JOBS="x", GIFTSHOP_LOG_LEVEL="y", WORKBENCH_PORT="z")) == 3


def test_a_refusal_repeats_no_secret(tmp_path: Path) -> None:
    secret = "sk_live_almost-a-key"
    assert all(secret not in line for line in refusal(tmp_path, **{**PRODUCTION, "STRIPE_SECRET_KEY": secret}))


def test_keys_drawn_at_random_are_taken(tmp_path: Path) -> None:
    for draw in (lambda: secrets.token_hex(32), lambda: secrets.token_hex(16), lambda: secrets.token_urlsafe(24)):
        assert [key for key in (draw() for _ in range(2000)) if is_weak(key)] == []


def test_an_older_key_that_is_weak_is_doubtful_and_no_reason_to_stand_still(tmp_path: Path) -> None:
    rotated = {"GIFTSHOP_CODE_PEPPER": f"{NEW},{'p' * 32}", "GIFTSHOP_SECRET_KEY": NEW, "GIFTSHOP_PROXY_HOPS": "1"}
    doubtful = list_doubtful(read_settings({**PRODUCTION, **rotated}, root=tmp_path))
    assert [line.split(".")[0] for line in doubtful] == [
        "GIFTSHOP_CODE_PEPPER: an older key in the list is easy to guess",
        "Two secrets are the same: who learns one has the other",
    ]


@pytest.mark.parametrize(
    ("changes", "doubted"),
    [
        ({}, ["GIFTSHOP_PROXY_HOPS is not set"]),
        ({"GIFTSHOP_PROXY_HOPS": "0"}, []),
        ({"GIFTSHOP_PROXY_HOPS": "1"}, []),
        ({"GIFTSHOP_PROXY_HOPS": "1", "DATABASE_URL": "sqlite:////var/shop.sqlite"}, ["DATABASE_URL is one file"]),
        ({"GIFTSHOP_PROXY_HOPS": "1", "GIFTSHOP_SECRET_KEY": f'"{NEW}"'}, ["GIFTSHOP_SECRET_KEY: the quotes"]),
    ],
)
def test_what_is_most_likely_not_meant_is_named(tmp_path: Path, changes: dict[str, str], doubted: list[str]) -> None:
    doubtful = list_doubtful(read_settings({**PRODUCTION, **changes}, root=tmp_path))
    assert len(doubtful) == len(doubted)
    assert all(line.startswith(begin) for line, begin in zip(doubtful, doubted, strict=True))


def test_nothing_is_doubtful_in_development(tmp_path: Path) -> None:
    assert list_doubtful(read(tmp_path)) == []


@pytest.mark.parametrize(
    ("written", "origin", "host_name"),
    [
        ("https://gifts.example.com:443", "https://gifts.example.com", "gifts.example.com"),
        ("https://gifts.example.com:443/", "https://gifts.example.com", "gifts.example.com"),
        ("HTTPS://Gifts.Example.COM", "https://gifts.example.com", "gifts.example.com"),
        ("https://gifts.example.com.", "https://gifts.example.com", "gifts.example.com"),
        ("https://gifts.example.com.:443", "https://gifts.example.com", "gifts.example.com"),
        ("https://gifts.example.com:8443", "https://gifts.example.com:8443", "gifts.example.com"),
        (
            "https://geschenke.müller.example",
            "https://geschenke.xn--mller-kva.example",
            "geschenke.xn--mller-kva.example",
        ),
        ("https://MÜLLER.example", "https://xn--mller-kva.example", "xn--mller-kva.example"),
        ("https://マッサージ。example", "https://xn--vckg5a9gug.example", "xn--vckg5a9gug.example"),
        ("https://xn--mller-kva.example", "https://xn--mller-kva.example", "xn--mller-kva.example"),
    ],
)
def test_the_base_address_is_put_into_one_form(tmp_path: Path, written: str, origin: str, host_name: str) -> None:
    settings = read_settings({**PRODUCTION, "GIFTSHOP_BASE_URL": written}, root=tmp_path)
    assert (settings.base_url, settings.host_name) == (origin, host_name)


def test_http_has_a_usual_port_of_its_own(tmp_path: Path) -> None:
    assert read(tmp_path, GIFTSHOP_BASE_URL="http://localhost:80").base_url == "http://localhost"
    assert read(tmp_path, GIFTSHOP_BASE_URL="http://localhost:443").base_url == "http://localhost:443"


# --- .env ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "GIFTSHOP_JOBS=worker # in a process of their own",
        "export GIFTSHOP_JOBS=worker",
        "export GIFTSHOP_JOBS='worker'   # both",
        '\ufeffGIFTSHOP_JOBS="worker"',
        "GIFTSHOP_JOBS = worker",
        "GIFTSHOP_JOBS=worker\r\n",
    ],
)
def test_dot_env_is_read_as_everybody_writes_it(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"{line}\nGIFTSHOP_LOG_LEVEL\n", encoding="utf-8")
    assert read(tmp_path).jobs == "worker"


def test_a_sign_that_begins_no_comment_stays_in_a_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "SMTP_URL='smtp://me:pa%23ss@127.0.0.1:2525'\nGIFTSHOP_MAIL_FROM=a+b#c@example.com  # ours\n"
    )
    settings = read(tmp_path)
    assert (settings.smtp_url, settings.mail_from) == ("smtp://me:pa%23ss@127.0.0.1:2525", "a+b#c@example.com")


# --- the simulated Stripe: case 38 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mix",
    [
        {"STRIPE_SECRET_KEY": "sk_live_0123456789", "STRIPE_API_BASE": "http://127.0.0.1:8001"},
        {"STRIPE_SECRET_KEY": "rk_live_0123456789", "STRIPE_API_BASE": "http://127.0.0.1:8001"},
        {"STRIPE_SECRET_KEY": "sk_test_0123456789", "STRIPE_API_BASE": "http://127.0.0.1:8001"},
        {"STRIPE_API_BASE": "http://192.0.2.1:8001"},
        {"STRIPE_API_BASE": "https://127.0.0.1:8001"},
        {"STRIPE_API_BASE": "http://127.0.0.1@192.0.2.1:8001"},
        {"STRIPE_API_BASE": "http://127.0.0.1:99999"},
        {"STRIPE_API_BASE": "http://"},
        {"STRIPE_API_BASE": f"http://{'a' * 64}.example"},
        {"STRIPE_API_BASE": "127.0.0.1:8001"},
    ],
)
def test_a_wrong_mix_of_key_and_stripe_address_is_refused_in_one_sentence(tmp_path: Path, mix: dict[str, str]) -> None:
    (sentence,) = refusal(tmp_path, **mix)
    assert sentence.startswith("STRIPE_API_BASE")


def test_a_simulated_key_without_its_stripe_is_refused_where_nothing_is_filled_in(tmp_path: Path) -> None:
    wrong = refusal(tmp_path, **{**PRODUCTION, "STRIPE_SECRET_KEY": "sk_test_sim_0123456789"})
    assert any(line.startswith("STRIPE_API_BASE goes with a simulated key") for line in wrong)


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "http://localhost:9001", "http://127.8.8.8"])
def test_the_simulated_stripe_may_be_at_any_address_of_this_machine(tmp_path: Path, base: str) -> None:
    assert read(tmp_path, STRIPE_API_BASE=base).workbench_url == base
