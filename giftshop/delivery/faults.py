"""What can be wrong with sending a message, as one table: whose fault it is, its sentence, how long it is tried again.

A message ends only when the server refuses its recipient: by the step at which it says so and by its enhanced code
(RFC 3463); old servers without one by their words. Everything else is the shop's own trouble, or passes, and waits.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, auto

from giftshop.words import N_, _


class MailFault(StrEnum):
    """Why a message did not go out when it was tried."""

    NO_SUCH_MAILBOX = auto()
    MAILBOX_CLOSED = auto()
    MAILBOX_FULL = auto()
    PUT_OFF = auto()
    NOT_MADE = auto()
    NO_SUCH_HOST = auto()
    NOT_LISTENING = auto()
    NO_ANSWER = auto()
    NO_MAIL_SERVER = auto()
    TURNED_AWAY = auto()
    NO_ENCRYPTION = auto()
    ENCRYPTION_FAILED = auto()
    FOREIGN_CERTIFICATE = auto()
    NO_SIGN_IN = auto()
    SIGN_IN_REFUSED = auto()
    SIGN_IN_WANTED = auto()
    SENDER_REFUSED = auto()
    RELAY_REFUSED = auto()
    TOO_LARGE = auto()
    SERVER_TROUBLE = auto()
    REFUSED = auto()
    NOT_CAPTURED = auto()


_USUAL, _FULL, _OURS = timedelta(0), timedelta(days=5), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: what people read, and for how long a message is tried again; nothing for the pauses in stuck.py."""

    sentence: str
    patience: timedelta = _OURS


FAULTS: dict[MailFault, Fault] = {
    MailFault.NO_SUCH_MAILBOX: Fault(N_("The mail server refused the address. Check it for a typing error."), _USUAL),
    MailFault.MAILBOX_CLOSED: Fault(N_("The mailbox of this address does not take the email."), _USUAL),
    MailFault.MAILBOX_FULL: Fault(N_("The mailbox of this address is full."), _FULL),
    MailFault.PUT_OFF: Fault(N_("The mail server asks us to try again later."), _USUAL),
    MailFault.NOT_MADE: Fault(N_("The message could not be made."), _USUAL),
    MailFault.NO_SUCH_HOST: Fault(N_("The mail server was not found by its name. Check the host in SMTP_URL.")),
    MailFault.NOT_LISTENING: Fault(
        N_("The mail server could not be reached: nothing answers there. Check host and port in SMTP_URL.")
    ),
    MailFault.NO_ANSWER: Fault(
        N_(
            "The mail server could not be reached, or did not answer in time. If that goes on, check the port in"
            " SMTP_URL: smtps:// is for port 465, smtp:// for 587."
        )
    ),
    MailFault.NO_MAIL_SERVER: Fault(N_("What answers there is no mail server. Check host and port in SMTP_URL.")),
    MailFault.TURNED_AWAY: Fault(N_("The mail server does not want to speak with us at all.")),
    MailFault.NO_ENCRYPTION: Fault(
        N_("The mail server offers no encryption (STARTTLS), and we send nothing without. Check the port in SMTP_URL.")
    ),
    MailFault.ENCRYPTION_FAILED: Fault(
        N_("Encryption with the mail server failed. Check SMTP_URL: smtps:// is for port 465, smtp:// for 587.")
    ),
    MailFault.FOREIGN_CERTIFICATE: Fault(
        N_("The mail server could not prove who it is: its certificate is not trusted. Check the host in SMTP_URL.")
    ),
    MailFault.NO_SIGN_IN: Fault(N_("The mail server offers no sign-in at this port. Check SMTP_URL.")),
    MailFault.SIGN_IN_REFUSED: Fault(N_("The mail server refused our sign-in. Check SMTP_URL.")),
    MailFault.SIGN_IN_WANTED: Fault(N_("The mail server wants us to sign in. Check user and password in SMTP_URL.")),
    MailFault.SENDER_REFUSED: Fault(N_("The mail server refused our sender address. Check GIFTSHOP_MAIL_FROM.")),
    MailFault.RELAY_REFUSED: Fault(
        N_("The mail server does not pass our mail on to others. Check SMTP_URL: it may want a sign-in.")
    ),
    MailFault.TOO_LARGE: Fault(N_("The mail server does not take an email as large as this one.")),
    MailFault.SERVER_TROUBLE: Fault(N_("The mail server has trouble of its own.")),
    MailFault.REFUSED: Fault(N_("The mail server refused our email, and not because of its address.")),
    MailFault.NOT_CAPTURED: Fault(N_("The captured mailbox did not take the message. Does the workbench run?")),
}
FINAL = (MailFault.NO_SUCH_MAILBOX, MailFault.MAILBOX_CLOSED)
"""What ends a message at once: another try meets the same."""
OF_THE_ADDRESS = (*FINAL, MailFault.MAILBOX_FULL)
SERVERS = tuple(fault for fault in MailFault if fault not in (*OF_THE_ADDRESS, MailFault.PUT_OFF, MailFault.NOT_MADE))
"""The trouble is between us and our mail server: every message has it."""

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_NO_RECIPIENT = re.compile(
    r"no such|unknown|not? (?:found|exist|local|a valid)|n.t exist|unrout|no mailbox|mailbox unavailable|inactive|"
    r"(?:user|mailbox|account|recipient|address).*(?:invalid|disabled|unavailable|rejected)|"
    r"invalid (?:user|mailbox|rec|addr)"
)
_FULL_WORDS = re.compile(r"quota|(?:mailbox|storage|inbox).*(?:full|exceeded)|full.*mailbox|out of space")
_ABOUT_US: dict[MailFault, re.Pattern[str]] = {
    MailFault.RELAY_REFUSED: re.compile(r"relay|rcpthosts"),
    MailFault.SENDER_REFUSED: re.compile(r"\bsender\b|not owned|mail from|return.path|from address|send ?as"),
    MailFault.SIGN_IN_WANTED: re.compile(
        r"authenticat|auth(?:orization)? (?:is )?required|must (?:log|sign).?in|not logged"
    ),
    MailFault.REFUSED: re.compile(
        r"polic|spam|block|black.?list|reputation|spf|dkim|dmarc|rbl|dnsbl|client host|\bhelo\b|\behlo\b|denied"
    ),
}


def classify(error: Exception) -> tuple[MailFault, str]:
    """Return what is wrong by what smtplib, the socket or TLS raised, and the server's own words."""
    for kind, judge in _JUDGES:
        if isinstance(error, kind):
            return judge(error)
    return MailFault.NO_ANSWER, ""


def tell(fault: MailFault, said: str) -> str:
    """Say what is wrong, with the words of the server."""
    sentence = _(FAULTS[fault].sentence)
    return f"{sentence} {_('It said: “%(words)s”', words=said)}" if said else sentence


def is_ours(trouble: str) -> bool:
    """Tell whether a message did not go out for a reason that is neither its address nor passes by itself."""
    return trouble not in ("", *OF_THE_ADDRESS, MailFault.PUT_OFF)


def _judge_answer(code: int, words: str, *, is_about_address: bool) -> MailFault:
    """Judge what was said to RCPT (about an address) or to the message itself, by its enhanced code if it has one."""
    enhanced = _ENHANCED.search(words)
    lower, is_over = words.lower(), code >= 500 and not (enhanced and enhanced[1] == "4")
    if code in (421, 530):
        return MailFault.SERVER_TROUBLE if code == 421 else MailFault.SIGN_IN_WANTED
    if enhanced:
        return _judge_enhanced(enhanced[2], enhanced[3], lower, is_over=is_over, is_about_address=is_about_address)
    if not is_about_address:
        return _judge_us(lower, is_over=is_over, else_=MailFault.TOO_LARGE if code == 552 else None)
    if _FULL_WORDS.search(lower) or code == 552:
        return MailFault.MAILBOX_FULL
    us = _judge_us(lower, is_over=is_over, else_=None)
    is_gone = code in (550, 551, 553) and us == MailFault.REFUSED and not _ABOUT_US[us].search(lower)
    return (
        MailFault.NO_SUCH_MAILBOX if is_gone and _NO_RECIPIENT.search(lower) else us if is_over else MailFault.PUT_OFF
    )


def _judge_enhanced(subject: str, detail: str, words: str, *, is_over: bool, is_about_address: bool) -> MailFault:
    """Judge by subject and detail of an enhanced code."""
    is_of_sender = detail in ("7", "8") or re.search(r"\bsender address rejected", words)
    if subject == "1" and not is_of_sender:
        return MailFault.NO_SUCH_MAILBOX if is_over else MailFault.PUT_OFF
    if subject == "1":
        return MailFault.SENDER_REFUSED
    if subject == "2":
        lasting = MailFault.MAILBOX_CLOSED if is_over else MailFault.PUT_OFF
        return MailFault.MAILBOX_FULL if detail == "2" else lasting
    if subject == "3":
        return MailFault.TOO_LARGE if detail == "4" else MailFault.SERVER_TROUBLE
    is_greylisted = not is_over and (subject == "7" or is_about_address)
    return MailFault.PUT_OFF if is_greylisted else _judge_us(words, is_over=is_over, else_=None)


def _judge_us(words: str, *, is_over: bool, else_: MailFault | None) -> MailFault:
    """Say what it is about us that the server refuses."""
    if not is_over:
        return MailFault.SERVER_TROUBLE
    found = (fault for fault, pattern in _ABOUT_US.items() if pattern.search(words))
    return next(found, else_ or MailFault.REFUSED)


def _judge_sender(code: int, words: str) -> MailFault:
    """Judge what was said to MAIL FROM, with which the message's size is told too."""
    enhanced = _ENHANCED.search(words)
    if code == 552 or (enhanced and (enhanced[2], enhanced[3]) == ("3", "4")):
        return MailFault.TOO_LARGE
    if code == 530 or _ABOUT_US[MailFault.SIGN_IN_WANTED].search(words.lower()):
        return MailFault.SIGN_IN_WANTED
    return MailFault.SENDER_REFUSED if code >= 500 else MailFault.SERVER_TROUBLE


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(f"{code if code > 0 else ''} {text}".split())


def _of_recipient(error: smtplib.SMTPRecipientsRefused) -> tuple[MailFault, str]:
    code, words = next(iter(error.recipients.values()))
    said = _said(code, words)
    return _judge_answer(code, said, is_about_address=True), said


def _of_data(error: smtplib.SMTPDataError) -> tuple[MailFault, str]:
    said = _said(error.smtp_code, error.smtp_error)
    return _judge_answer(error.smtp_code, said, is_about_address=False), said


def _of_sender(error: smtplib.SMTPSenderRefused) -> tuple[MailFault, str]:
    said = _said(error.smtp_code, error.smtp_error)
    return _judge_sender(error.smtp_code, said), said


def _of_greeting(error: smtplib.SMTPConnectError) -> tuple[MailFault, str]:
    fault = MailFault.TURNED_AWAY if error.smtp_code > 0 else MailFault.NO_MAIL_SERVER
    return fault, _said(error.smtp_code, error.smtp_error)


def _of_offer(error: smtplib.SMTPNotSupportedError) -> tuple[MailFault, str]:
    return MailFault.NO_ENCRYPTION if "STARTTLS" in str(error) else MailFault.NO_SIGN_IN, ""


def _answered(fault: MailFault) -> Callable[[smtplib.SMTPResponseException], tuple[MailFault, str]]:
    return lambda error: (fault, _said(error.smtp_code, error.smtp_error))


def _always(fault: MailFault) -> Callable[[Exception], tuple[MailFault, str]]:
    return lambda error: (fault, getattr(error, "verify_message", "") or "")


_JUDGES: tuple[tuple[type[Exception], Callable[..., tuple[MailFault, str]]], ...] = (
    (smtplib.SMTPRecipientsRefused, _of_recipient),
    (smtplib.SMTPDataError, _of_data),
    (smtplib.SMTPAuthenticationError, _answered(MailFault.SIGN_IN_REFUSED)),
    (smtplib.SMTPSenderRefused, _of_sender),
    (smtplib.SMTPConnectError, _of_greeting),
    (smtplib.SMTPHeloError, _answered(MailFault.TURNED_AWAY)),
    (smtplib.SMTPNotSupportedError, _of_offer),
    (smtplib.SMTPServerDisconnected, _always(MailFault.NO_ANSWER)),
    (smtplib.SMTPResponseException, _answered(MailFault.NO_ENCRYPTION)),  # what is left: STARTTLS was refused
    (smtplib.SMTPException, _always(MailFault.NO_SIGN_IN)),  # what is left: no way to sign in that we know
    (ssl.SSLCertVerificationError, _always(MailFault.FOREIGN_CERTIFICATE)),
    (ssl.SSLError, _always(MailFault.ENCRYPTION_FAILED)),
    (socket.gaierror, _always(MailFault.NO_SUCH_HOST)),
    (ConnectionRefusedError, _always(MailFault.NOT_LISTENING)),
)
"""By what was raised, the narrowest first: it says at which step."""
