"""What a mail server may refuse, at each step: what ends a message, what waits, and what each is said to be."""

import re
import ssl
from pathlib import Path

import pytest

from giftshop.delivery import faults, mailer
from giftshop.delivery.faults import FAULTS, FINAL, MailFault
from giftshop.delivery.mailer import MailError, PermanentMailError, TemporaryMailError
from tests.delivery.mail_servers import free_port, self_signed
from tests.delivery.refusing_server import refusing_server
from tests.delivery.test_mailer import SENDER, send

NO_STARTTLS = "250-mail.example\n250 AUTH PLAIN"
NO_AUTH = "250-mail.example\n250 STARTTLS"
STRANGE_AUTH = "250-mail.example\n250-STARTTLS\n250 AUTH GSSAPI NTLM"

OF_THE_RECIPIENT = [
    ("rcpt", "550 5.1.1 <ana@example.com>: Recipient address rejected: User unknown", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "550 5.1.1 The email account that you tried to reach does not exist.", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "550 5.1.0 Address rejected.", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "550 5.1.2 Host or domain name not found", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "553 5.1.3 Bad recipient address syntax", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "501 5.1.3 Bad recipient address syntax", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "551 5.1.6 The user has moved", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "556 5.1.10 Recipient address has null MX", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "550-5.1.1 no such user\n550 5.1.1 try another", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "550 5.2.1 The mailbox is disabled", MailFault.MAILBOX_CLOSED),
    ("rcpt", "554 5.2.0 Other mailbox status", MailFault.MAILBOX_CLOSED),
    ("rcpt", "550 no such user", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "550 Unknown user", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "550 Requested action not taken: mailbox unavailable", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "550 Unrouteable address", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "551 User not local", MailFault.NO_SUCH_MAILBOX),
    ("rcpt", "553 sorry, no mailbox here by that name (#5.1.1)", MailFault.NO_SUCH_MAILBOX),
    ("end", "550 5.1.1 no such user", MailFault.NO_SUCH_MAILBOX),
    ("end", "550 5.2.1 mailbox disabled", MailFault.MAILBOX_CLOSED),
]
OF_US = [
    ("banner", "554 5.7.1 we do not talk to your network", MailFault.TURNED_AWAY),
    ("banner", "421 too many connections", MailFault.TURNED_AWAY),
    ("banner", "HTTP/1.1 400 Bad Request", MailFault.NO_MAIL_SERVER),
    ("banner", "", MailFault.NO_ANSWER),
    ("ehlo", "", MailFault.NO_ANSWER),
    ("starttls", "454 4.7.0 TLS not available due to local problem", MailFault.NO_ENCRYPTION),
    ("ehlo", NO_AUTH, MailFault.NO_SIGN_IN),
    ("ehlo", STRANGE_AUTH, MailFault.NO_SIGN_IN),
    ("auth", "535 5.7.8 Error: authentication failed", MailFault.SIGN_IN_REFUSED),
    ("auth", "534 5.7.9 Application-specific password required", MailFault.SIGN_IN_REFUSED),
    ("auth", "454 4.7.0 Temporary authentication failure", MailFault.SIGN_IN_REFUSED),
    ("mail", "530 5.7.0 Authentication required", MailFault.SIGN_IN_WANTED),
    ("mail", "550 5.7.1 You must sign in first", MailFault.SIGN_IN_WANTED),
    ("mail", "553 5.7.1 Sender address rejected: not owned by user shop", MailFault.SENDER_REFUSED),
    ("mail", "550 5.1.8 Sender address rejected: Domain not found", MailFault.SENDER_REFUSED),
    ("mail", "550 5.1.1 no such user", MailFault.SENDER_REFUSED),
    ("mail", "501 5.1.7 Bad sender address syntax", MailFault.SENDER_REFUSED),
    ("mail", "552 5.3.4 Message size exceeds fixed limit", MailFault.TOO_LARGE),
    ("mail", "451 4.3.0 Temporary lookup failure", MailFault.SERVER_TROUBLE),
    ("mail", "421 4.7.0 closing", MailFault.SERVER_TROUBLE),
    (
        "rcpt",
        "553 5.7.1 <gifts@focusedcare.example>: Sender address rejected: not owned by user shop",
        MailFault.SENDER_REFUSED,
    ),
    (
        "rcpt",
        "550 5.1.8 <gifts@focusedcare.example>: Sender address rejected: Domain not found",
        MailFault.SENDER_REFUSED,
    ),
    ("rcpt", "550 5.1.0 <gifts@focusedcare.example>: Sender address rejected: User unknown", MailFault.SENDER_REFUSED),
    (
        "rcpt",
        "450 4.1.8 <gifts@focusedcare.example>: Sender address rejected: Domain not found",
        MailFault.SENDER_REFUSED,
    ),
    ("rcpt", "554 5.7.1 <ana@example.com>: Relay access denied", MailFault.RELAY_REFUSED),
    ("rcpt", "550 relay not permitted", MailFault.RELAY_REFUSED),
    ("rcpt", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", MailFault.RELAY_REFUSED),
    ("rcpt", "530 5.7.0 Must issue a STARTTLS command first", MailFault.SIGN_IN_WANTED),
    ("rcpt", "550 authentication required", MailFault.SIGN_IN_WANTED),
    (
        "rcpt",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        MailFault.REFUSED,
    ),
    ("rcpt", "550 5.7.1 Our system has detected that this message is likely unsolicited", MailFault.REFUSED),
    ("rcpt", "550 Rejected", MailFault.REFUSED),
    ("rcpt", "550 Sender verify failed: unknown user", MailFault.SENDER_REFUSED),
    ("rcpt", "550 blocked, address 10.5.1.1.7 unknown", MailFault.REFUSED),
    ("rcpt", "552 5.3.4 Message too big for system", MailFault.TOO_LARGE),
    ("rcpt", "421 4.4.2 timeout exceeded", MailFault.SERVER_TROUBLE),
    ("rcpt", "452 4.3.1 Insufficient system storage", MailFault.SERVER_TROUBLE),
    ("data", "554 5.5.1 Error: no valid recipients", MailFault.REFUSED),
    ("data", "451 4.3.0 queue file write error", MailFault.SERVER_TROUBLE),
    ("end", "552 5.3.4 Message size exceeds fixed limit", MailFault.TOO_LARGE),
    ("end", "552 too big", MailFault.TOO_LARGE),
    ("end", "550 5.7.1 Message rejected as spam", MailFault.REFUSED),
    ("end", "550 5.7.26 This mail is unauthenticated: SPF and DKIM", MailFault.SIGN_IN_WANTED),
    ("end", "554 no such user, or so we think", MailFault.REFUSED),
    ("end", "452 disk full", MailFault.SERVER_TROUBLE),
    ("end", "", MailFault.NO_ANSWER),
]
THAT_PASSES = [
    ("rcpt", "450 4.2.0 <ana@example.com>: Recipient address rejected: Greylisted", MailFault.PUT_OFF),
    ("rcpt", "451 4.7.1 Greylisting in action, please come back later", MailFault.PUT_OFF),
    ("rcpt", "451 greylisted", MailFault.PUT_OFF),
    ("rcpt", "450 mailbox busy", MailFault.PUT_OFF),
    ("rcpt", "450 4.1.1 unverified address", MailFault.PUT_OFF),
    ("end", "451 4.7.1 Greylisted", MailFault.PUT_OFF),
    ("rcpt", "552 5.2.2 mailbox full", MailFault.MAILBOX_FULL),
    ("rcpt", "550 5.2.2 over quota", MailFault.MAILBOX_FULL),
    ("rcpt", "452 4.2.2 mailbox full", MailFault.MAILBOX_FULL),
    ("rcpt", "552 Requested mail action aborted: exceeded storage allocation", MailFault.MAILBOX_FULL),
    ("rcpt", "550 quota exceeded", MailFault.MAILBOX_FULL),
    ("end", "554 5.2.2 mailbox full", MailFault.MAILBOX_FULL),
]
ALL = [*OF_THE_RECIPIENT, *OF_US, *THAT_PASSES]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return self_signed(tmp_path_factory.mktemp("tls"))


def refusal_of(step: str, answer: str, tls: ssl.SSLContext, *, is_encrypted: bool) -> MailError:
    scheme = "smtps" if is_encrypted else "smtp"
    with refusing_server(tls, is_encrypted=is_encrypted, **{step: answer}) as server:
        with pytest.raises(MailError) as refused:
            send(f"{scheme}://shop:secret@127.0.0.1:{server.port}")
        assert server.taken == []
    return refused.value


@pytest.mark.parametrize(("step", "answer", "fault"), ALL)
def test_each_refusal_at_each_step_is_what_it_is(step: str, answer: str, fault: MailFault, tls: ssl.SSLContext) -> None:
    refused = refusal_of(step, answer, tls, is_encrypted=False)
    assert refused.fault == fault
    assert isinstance(refused, PermanentMailError if fault in FINAL else TemporaryMailError)
    assert refused.message.startswith(FAULTS[fault].sentence)


@pytest.mark.parametrize(
    ("step", "answer", "fault"), [case for case in ALL if case[0] in ("rcpt", "mail") and case[1][3] == " "][::4]
)
def test_it_is_the_same_over_tls_from_the_first_byte(
    step: str, answer: str, fault: MailFault, tls: ssl.SSLContext
) -> None:
    assert refusal_of(step, answer, tls, is_encrypted=True).fault == fault


def test_only_what_is_said_of_the_recipient_ends_a_message() -> None:
    assert {fault for _step, _answer, fault in OF_THE_RECIPIENT} == set(FINAL)
    assert not {fault for _step, _answer, fault in (*OF_US, *THAT_PASSES)} & set(FINAL)


def test_a_server_that_takes_it_gets_it_once(tls: ssl.SSLContext) -> None:
    with refusing_server(tls) as server:
        send(f"smtp://shop:secret@127.0.0.1:{server.port}")
        assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("url", "says", "is_encrypted", "fault"),
    [
        ("smtp://0.0.0.0:{port}", {"ehlo": NO_STARTTLS}, False, MailFault.NO_ENCRYPTION),
        ("smtp://0.0.0.0:{port}", {}, False, MailFault.FOREIGN_CERTIFICATE),
        ("smtps://0.0.0.0:{port}", {}, True, MailFault.FOREIGN_CERTIFICATE),
        ("smtps://127.0.0.1:{port}", {}, False, MailFault.ENCRYPTION_FAILED),
        ("smtp://127.0.0.1:{port}", {}, True, MailFault.NO_ANSWER),
        ("smtp://no-such-host.invalid:{port}", {}, False, MailFault.NO_SUCH_HOST),
        ("smtp://127.0.0.1:{closed}", {}, False, MailFault.NOT_LISTENING),
    ],
)
def test_a_connection_that_is_not_what_the_setting_says_waits_and_says_why(
    url: str,
    says: dict[str, str],
    is_encrypted: bool,
    fault: MailFault,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mailer, "GREETING_SECONDS", 2)  # 0.0.0.0 is this machine, but no loopback address by name
    with refusing_server(tls, is_encrypted=is_encrypted, **says) as server, pytest.raises(TemporaryMailError) as waits:
        send(url.format(port=server.port, closed=free_port()))
    assert waits.value.fault == fault
    assert waits.value.message.startswith(FAULTS[fault].sentence)


def test_the_servers_words_are_shown_without_codes_and_without_other_peoples_addresses(tls: ssl.SSLContext) -> None:
    said = (
        "554 5.7.1 <ana@example.com> from gifts@focusedcare.example: blocked 7KQ2-M4XD-9TFP-B3HV "
        "https://gifts.example/c/7KQ2M4XD9TFPB3HV https://gifts.example/orders/aVeryLongToken_123456 \x07"
    )
    shown = refusal_of("end", said, tls, is_encrypted=False).message
    assert "554 5.7.1" in shown
    assert SENDER in shown
    assert not re.search(r"ana@|7KQ2|B3HV|aVery|\x07", shown)


def test_very_long_words_are_cut(tls: ssl.SSLContext) -> None:
    shown = refusal_of("rcpt", "554 5.7.1 " + "relay " * 70, tls, is_encrypted=False).message
    assert len(shown) < 400


def test_every_fault_has_a_sentence_and_none_is_said_twice(tmp_path: Path) -> None:
    assert set(FAULTS) == set(MailFault)
    assert len({row.sentence for row in FAULTS.values()}) == len(MailFault)
    tried = {fault for _step, _answer, fault in ALL}
    assert set(MailFault) - tried == {
        MailFault.NOT_MADE,
        MailFault.NOT_CAPTURED,
        MailFault.NO_SUCH_HOST,
        MailFault.NOT_LISTENING,
        MailFault.ENCRYPTION_FAILED,
        MailFault.FOREIGN_CERTIFICATE,
    }
    assert all(faults.is_ours(fault) for fault in faults.SERVERS)
