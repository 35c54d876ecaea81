"""The captured mailbox: takes messages as a mail server would, shows them as a reader would."""

from email.message import EmailMessage
from typing import Any

import pytest
import requests

from tests.workbench.running import RunningWorkbench

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3 certificate"


def message(to: str = "ana@example.com", subject: str = "A massage for you") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Focused Care <gifts@localhost>"
    mail["To"] = to
    mail["Subject"] = subject
    mail["Message-ID"] = "<delivery-17@localhost>"
    mail.set_content("Hello Żaneta,\n\nopen it: https://shop.example/c/K7M2QX9R?a=1&b=2.\n")
    mail.add_alternative(
        "<html><head><title>x</title></head><body><p>Hello Żaneta</p><script>alert(1)</script>"
        '<a href="https://shop.example/c/K7M2QX9R?a=1&amp;b=2">Open</a> <a href="mailto:a@b.c">write</a></body></html>',
        subtype="html",
    )
    mail.add_attachment(PDF, maintype="application", subtype="pdf", filename="gift certificate.pdf")
    return mail


def send(bench: RunningWorkbench, mail: EmailMessage, to: str = "ana@example.com", key: str = "") -> requests.Response:
    headers = {
        "Authorization": f"Bearer {key or bench.stripe_key}", "X-Envelope-From": "gifts@localhost", "X-Envelope-To": to,
    }  # fmt: skip
    return requests.post(f"{bench.url}/mailbox/messages", data=mail.as_bytes(), headers=headers, timeout=10)


def page(bench: RunningWorkbench, path: str) -> requests.Response:
    return requests.get(f"{bench.url}/mailbox{path}", timeout=10)


def test_a_captured_message_is_read_by_tests_with_all_its_parts(bench: RunningWorkbench) -> None:
    assert send(bench, message()).status_code == 201
    (mail,) = bench.mails()
    assert (mail["from"], mail["to"], mail["subject"]) == ("gifts@localhost", ["ana@example.com"], "A massage for you")
    assert mail["message_id"] == "<delivery-17@localhost>"
    assert mail["text"].startswith("Hello Żaneta,")
    assert "<p>Hello Żaneta</p>" in mail["html"]
    assert mail["links"] == ["https://shop.example/c/K7M2QX9R?a=1&b=2"]
    (attachment,) = mail["attachments"]
    assert (attachment["name"], attachment["content_type"]) == ("gift certificate.pdf", "application/pdf")
    assert attachment["size"] == len(PDF)
    fetched = requests.get(bench.url + attachment["url"], timeout=10)
    assert (fetched.content, fetched.headers["Content-Type"]) == (PDF, "application/pdf")


def test_messages_are_listed_newest_first_and_by_address(bench: RunningWorkbench) -> None:
    send(bench, message(subject="One for Ana"))
    send(bench, message(subject="One for both"), to="ben@example.com, ana@example.com")
    assert [mail["subject"] for mail in bench.mails()] == ["One for both", "One for Ana"]
    assert [mail["subject"] for mail in bench.mails(to="ben@example.com")] == ["One for both"]
    assert bench.mails(to="nobody@example.com") == []
    text = page(bench, "").text
    assert text.index("One for both") < text.index("One for Ana")
    assert "One for Ana" not in page(bench, "?to=ben@example.com").text


def test_a_message_has_a_page_with_links_headers_and_attachments(bench: RunningWorkbench) -> None:
    mail_id = send(bench, message()).json()["id"]
    text = page(bench, f"/{mail_id}").text
    assert 'href="https://shop.example/c/K7M2QX9R?a=1&amp;b=2"' in text
    assert f'href="/mailbox/{mail_id}/attachments/1"' in text
    assert "Message-ID" in text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in text
    assert "<script" not in text


def test_the_html_part_is_locked_up(bench: RunningWorkbench) -> None:
    mail_id = send(bench, message()).json()["id"]
    shown = page(bench, f"/{mail_id}/html")
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'; img-src data:;" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert '<base target="_blank">' in shown.text


def test_the_raw_source_is_what_was_sent(bench: RunningWorkbench) -> None:
    mail = message()
    mail_id = send(bench, mail).json()["id"]
    shown = page(bench, f"/{mail_id}/raw")
    assert shown.content == mail.as_bytes()
    assert shown.headers["Content-Type"].startswith("text/plain")


def test_an_attachment_a_browser_could_run_is_only_downloaded(bench: RunningWorkbench) -> None:
    mail = message()
    mail.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename="Gruß.html")
    mail_id = send(bench, mail).json()["id"]
    shown = page(bench, f"/{mail_id}/attachments/2")
    assert shown.headers["Content-Type"] == "application/octet-stream"
    assert shown.headers["Content-Disposition"].startswith("attachment")


def test_a_message_that_is_only_text_is_shown_too(bench: RunningWorkbench) -> None:
    mail = EmailMessage()
    mail.set_content("plain & simple")
    mail_id = send(bench, mail).json()["id"]
    assert "plain &amp; simple" in page(bench, f"/{mail_id}").text
    assert "(no subject)" in page(bench, "").text
    assert page(bench, f"/{mail_id}/html").status_code == 404


@pytest.mark.parametrize("path", ["/999", "/999/raw", "/1000/attachments/1"])
def test_what_is_not_there_is_not_found(bench: RunningWorkbench, path: str) -> None:
    assert page(bench, path).status_code == 404


@pytest.mark.parametrize("number", [0, 2])
def test_an_attachment_that_is_not_there_is_not_found(bench: RunningWorkbench, number: int) -> None:
    mail_id = send(bench, message()).json()["id"]
    assert page(bench, f"/{mail_id}/attachments/{number}").status_code == 404


def test_the_mailbox_takes_mail_from_its_shop_only(bench: RunningWorkbench) -> None:
    assert send(bench, message(), key="sk_test_other").status_code == 401
    assert bench.mails() == []


@pytest.mark.parametrize(
    ("body", "to"), [(b"", "ana@example.com"), (b"Subject: x\n\ny", ""), (b"Subject: x\n\ny", ",")]
)
def test_a_message_needs_a_body_and_someone_to_go_to(bench: RunningWorkbench, body: bytes, to: str) -> None:
    headers = {"Authorization": f"Bearer {bench.stripe_key}", "X-Envelope-To": to}
    assert requests.post(f"{bench.url}/mailbox/messages", data=body, headers=headers, timeout=10).status_code == 400


def test_mail_can_be_refused_for_a_while(bench: RunningWorkbench) -> None:
    bench.post("/mail-fault", {"times": 2})
    codes: list[Any] = [send(bench, message()).status_code for _ in range(3)]
    assert codes == [503, 503, 201]
    assert len(bench.mails()) == 1
