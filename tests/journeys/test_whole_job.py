"""The whole main job in a real browser: bought as a gift, received, scanned, redeemed in part, undone, redeemed."""

import base64
import sqlite3
import urllib.parse
from contextlib import closing
from pathlib import Path

import psycopg
import pypdfium2
from PIL import Image
from playwright.sync_api import Page, expect

from giftshop.documents.qr import read_code_image
from tests.conftest import both_databases
from tests.journeys.browser import PHONE, chromium, film_of, sign_in
from tests.running import RunningShop, running_shop

STAFF = ("desk@example.com", "sore-shoulders-welcome")


@both_databases
def test_a_certificate_is_bought_received_scanned_redeemed_undone_and_used_up(
    database_url: str, tmp_path: Path
) -> None:
    with running_shop(tmp_path, database_url) as shop:
        with chromium() as browser:
            page = browser.new_page(viewport=PHONE)
            buy_for_ana(page, shop)
            pdf = receive(page, shop)
            picture = render(pdf)
            code = code_on(picture, tmp_path)
            assert page.url.upper().endswith(code)
        film = film_of(qr_part(picture), tmp_path / "camera.y4m")
        with chromium(film) as browser:
            page = browser.new_page(viewport=PHONE)
            sign_in(page, shop.url, *STAFF, shop.run("staff", "code", STAFF[0]).strip())
            scan(page)
            redeem_undo_and_use_up(page)
            assert code not in page.content().upper()
        assert "this one is used up" in shop_page(shop, code)
        assert "verifies" in shop.run("ledger", "verify")
        no_code_in_clear(code, shop, database_url)


def buy_for_ana(page: Page, shop: RunningShop) -> None:
    page.goto(shop.url)
    page.get_by_role("link", name="Make a gift certificate").first.click()
    page.locator('input[name="gifts-0-offer"][value="90-minutes"]').check(force=True)
    page.locator('[name="gifts-0-recipient_name"]').fill("Ana")
    page.locator('[name="gifts-0-giver_name"]').fill("Marko")
    page.locator('[name="gifts-0-message"]').fill("Your shoulders have carried enough.")
    page.locator('[name="gifts-0-recipient_email"]').fill("ana@example.com")
    page.locator('[name="buyer_email"]').fill("marko@example.com")
    page.get_by_role("button", name="Continue to payment").click()
    expect(page.get_by_text("SIMULATED PAYMENT")).to_be_visible()
    page.locator('button[name="outcome"][value="pay"]').click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you, Marko")


def receive(page: Page, shop: RunningShop) -> bytes:
    """Find the mail in the captured mailbox, fetch its PDF, follow its link."""
    page.wait_for_timeout(500)
    for _ in range(60):
        mails = shop.workbench.mails("ana@example.com")
        if mails:
            break
        page.wait_for_timeout(500)
    assert len(mails) == 1
    assert mails[0]["subject"] == "Marko sent you a massage at Focused Care"
    page.goto(f"{shop.workbench.url}/mailbox")
    page.get_by_text("Marko sent you a massage at Focused Care").first.click()
    attachment = mails[0]["attachments"][0]
    pdf = page.request.get(
        f"{shop.workbench.url}{attachment['url']}" if attachment["url"].startswith("/") else attachment["url"]
    ).body()
    link = next(address for address in mails[0]["links"] if "/c/" in address)
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ana, you have $120.00 to spend")
    return pdf


def render(pdf: bytes) -> Image.Image:
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    return document[0].render(scale=150 / 72).to_pil()


def code_on(picture: Image.Image, folder: Path) -> str:
    picture.save(folder / "certificate.png")
    text = read_code_image((folder / "certificate.png").read_bytes())
    assert text is not None
    return text.rsplit("/C/", 1)[1]


def qr_part(picture: Image.Image) -> Image.Image:
    """Cut out what a person holds before the camera: the lower left part of the sheet."""
    return picture.crop((0, int(picture.height * 0.66), int(picture.width * 0.42), picture.height))


def scan(page: Page) -> None:
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".state.good")).to_contain_text("$120.00 left", timeout=15_000)


def redeem_undo_and_use_up(page: Page) -> None:
    page.locator('[name="other_amount"]').fill("40")
    page.get_by_role("button", name="Redeem $40.00").click()
    expect(page.locator(".state.good")).to_contain_text("Took $40.00")
    expect(page.locator(".state.good")).to_contain_text("$80.00 left")
    page.get_by_role("button", name="Undo $40.00").click()
    expect(page.locator(".state.note").first).to_contain_text("Undone")
    page.get_by_role("link", name="Take more").click()
    page.locator('label:has-text("All of it")').click()
    page.get_by_role("button", name="Redeem $120.00").click()
    expect(page.locator(".state.good")).to_contain_text("Took $120.00")
    expect(page.locator(".state.good")).to_contain_text("Nothing left on it")


def shop_page(shop: RunningShop, code: str) -> str:
    with chromium() as browser:
        page = browser.new_page(viewport=PHONE)
        page.goto(f"{shop.url}/c/{code.lower()}")
        return page.inner_text("main")


def no_code_in_clear(code: str, shop: RunningShop, database_url: str) -> None:
    """Neither the logs nor any table, the job engine's too, holds the code in any common writing."""
    dashed = "-".join(code[start : start + 4] for start in range(0, 16, 4))
    writings = {
        code,
        dashed,
        code.lower(),
        dashed.lower(),
        urllib.parse.quote(dashed),
        base64.b64encode(code.encode()).decode(),
    }
    haystacks = {"log": shop.log.read_text(errors="replace"), "dump": dump(database_url)}
    assert len(haystacks["dump"]) > 10_000
    for name, text in haystacks.items():
        for writing in writings:
            assert writing not in text, f"{name} holds the code as {writing!r}"


def dump(database_url: str) -> str:
    """Return every row of every table as text, bytes as the letters they are."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return "\n".join(str(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables)
    with psycopg.connect(database_url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('public', 'dbos')"
        ).fetchall()
        rows = [str(connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall()) for schema, table in tables]
    return "\n".join(rows)
