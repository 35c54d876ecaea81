"""The mailer: exactly one recipient, encrypted where it leaves the machine, and the right name for every refusal."""

import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from giftshop.delivery import mailer
from giftshop.delivery.mailer import Mailer, PermanentMailError, TemporaryMailError
from tests.delivery.mail_servers import free_port, only, running_mail_server, scripted_server, self_signed
from tests.workbench.running import start_workbench

SENDER = "gifts@focusedcare.example"
HELLO = ("220 mail.example", "250 mail.example")


def by_smtp(url: str) -> Mailer:
    return Mailer(sender=SENDER, smtp_url=url, mailbox_url="http://127.0.0.1:9", mailbox_key="sk_test_sim_unused")


def a_message() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Marko sent you a massage"
    message["From"] = SENDER
    message["To"] = "ana@example.com, eve@example.com"
    message.set_content("Your shoulders have carried enough.")
    message.add_alternative("<p>Your shoulders have carried enough.</p>", subtype="html")
    return message


def send(url: str) -> None:
    by_smtp(url).send(a_message(), to_address="ana@example.com")


def test_a_message_goes_to_exactly_one_address_whatever_its_headers_say() -> None:
    with running_mail_server() as server:
        send(server.url)
    (arrived,) = server.arrived
    assert (arrived.sender, arrived.recipients) == (SENDER, ["ana@example.com"])
    text, html = arrived.message.get_body(("plain",)), arrived.message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "carried enough" in text.get_content()
    assert "<p>Your shoulders" in html.get_content()


def test_a_server_on_this_machine_may_prove_itself_to_nobody(tmp_path: Path) -> None:
    options = {"tls_context": self_signed(tmp_path), "require_starttls": True}
    with running_mail_server(**options, authenticator=only(b"shop", b"se/cret"), auth_required=True) as server:
        send(f"smtp://shop:se%2Fcret@127.0.0.1:{server.port}")
    assert server.arrived[0].was_encrypted


def test_a_server_that_is_encrypted_from_the_start_gets_its_message(tmp_path: Path) -> None:
    with running_mail_server(ssl_context=self_signed(tmp_path)) as server:
        send(f"smtps://127.0.0.1:{server.port}")
    assert len(server.arrived) == 1


@pytest.mark.parametrize("is_offered", [True, False])
def test_a_server_elsewhere_gets_nothing_it_cannot_keep_secret(tmp_path: Path, is_offered: bool) -> None:
    options = {"tls_context": self_signed(tmp_path)} if is_offered else {}
    with running_mail_server(**options) as server, pytest.raises(TemporaryMailError):
        send(f"smtp://0.0.0.0:{server.port}")  # reaches this machine, but is no loopback address by name
    assert server.arrived == []


@pytest.mark.parametrize(
    ("to_address", "to_data", "error", "sentence"),
    [
        (
            "550 no such user",
            "",
            PermanentMailError,
            "refused the address. Check it for a typing error. It said: “550 no",
        ),
        ("451 greylisted", "", TemporaryMailError, "asks us to try again later. It said: “451 greylisted”"),
        ("", "552 too big", TemporaryMailError, "does not take an email as large as this one. It said: “552 too big”"),
        ("", "452 disk full", TemporaryMailError, "has trouble of its own. It said: “452 disk full”"),
    ],
)
def test_a_refusal_is_final_when_the_server_says_so(
    to_address: str, to_data: str, error: type[Exception], sentence: str
) -> None:
    with running_mail_server() as server:
        server.to_address, server.to_data = to_address, to_data
        with pytest.raises(error) as refused:
            send(server.url)
    assert str(refused.value).startswith(f"The mail server {sentence}")


def test_a_wrong_password_is_the_shops_trouble_and_not_the_messages(tmp_path: Path) -> None:
    options = {"tls_context": self_signed(tmp_path), "require_starttls": True}
    with running_mail_server(**options, authenticator=only(b"shop", b"secret"), auth_required=True) as server:
        with pytest.raises(TemporaryMailError, match="sign-in"):
            send(f"smtp://shop:wrong@127.0.0.1:{server.port}")
        assert server.arrived == []


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (("554 we do not know you",), "does not want to speak with us at all. It said: “554 we do not know you”"),
        ((*HELLO, "550 not your domain", "250 reset"), "refused our sender address. Check GIFTSHOP_MAIL_FROM. It said"),
        ((*HELLO, "250 sender", "250 recipient", "354 go on"), "could not be reached, or did not answer in time"),
        ((*HELLO, "250 sender", "421 closing"), "has trouble of its own. It said: “421 closing”"),
    ],
)
def test_bad_manners_of_a_server_are_tried_again(steps: tuple[str, ...], sentence: str) -> None:
    with scripted_server(*steps) as port, pytest.raises(TemporaryMailError) as trouble:
        send(f"smtp://127.0.0.1:{port}")
    assert sentence in str(trouble.value)


@pytest.mark.parametrize("goodbye", ["421 shutting down", "500 what?"])
def test_a_rude_goodbye_does_not_send_a_message_twice(goodbye: str) -> None:
    with scripted_server(*HELLO, "250 sender", "250 recipient", "354 go on", "…data 250 taken", goodbye) as port:
        send(f"smtp://127.0.0.1:{port}")


def test_nobody_listening_is_tried_again() -> None:
    with pytest.raises(TemporaryMailError):
        send(f"smtp://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("steps", [(30.0,), (*HELLO, 30.0), (*HELLO, "250 sender", "250 recipient", "354 go on", 30.0)])
def test_a_slow_server_is_left_after_a_while(steps: tuple[str | float, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailer, "GREETING_SECONDS", 0.5)
    monkeypatch.setattr(mailer, "SECONDS", 1)
    began = time.monotonic()
    with scripted_server(*steps) as port, pytest.raises(TemporaryMailError):
        send(f"smtp://127.0.0.1:{port}")
    assert time.monotonic() - began < 20


def test_a_server_that_drips_is_left_though_it_never_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailer, "SECONDS", 1.5)
    began = time.monotonic()
    drips = [part for _ in range(20) for part in ("250 sender", 0.9)]
    with scripted_server(*HELLO, *drips) as port, pytest.raises(TemporaryMailError):
        send(f"smtp://127.0.0.1:{port}")
    assert time.monotonic() - began < 15


def test_without_a_mail_server_messages_are_captured(tmp_path: Path) -> None:
    with start_workbench(tmp_path) as bench:
        captured = Mailer(sender=SENDER, smtp_url="", mailbox_url=bench.url, mailbox_key=bench.stripe_key)
        captured.send(a_message(), to_address="ana@example.com")
        (mail,) = bench.mails(to="ana@example.com")
        stranger = Mailer(sender=SENDER, smtp_url="", mailbox_url=bench.url, mailbox_key="sk_test_sim_wrong")
        with pytest.raises(TemporaryMailError, match="did not take the message"):
            stranger.send(a_message(), to_address="ana@example.com")
    assert mail["subject"] == "Marko sent you a massage"
    with pytest.raises(TemporaryMailError, match="Does the workbench run"):
        captured.send(a_message(), to_address="ana@example.com")
