"""Pages printed from a real browser: one sheet each, amount and code together; and the giver's words uncut."""

import io

import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from giftshop.certificates.codes import format_code
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger.models import Certificate
from giftshop.orders.look_up import find_gift, token_of
from tests import build
from tests.browsing import settings_on_a_port
from tests.workbench.running import RunningWorkbench

LONG = ("Lie down for an hour, breathe, and let somebody else do the lifting for once. " * 6)[:399] + "!"
NAME = "Wilhelmina Konstantinopolska-Featherstonehaugh of Aberdeen"
MARGIN = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url, **workbench.shop_settings)


@pytest.fixture
def certificate() -> Certificate:
    """A certificate with as many words as fit, used four times."""
    built = build.certificate(message=LONG, recipient_name=NAME, giver_name=NAME)
    for _ in range(4):
        build.redeem(built, 10_00)
    db.session.commit()
    return built


def printed(page: Page, paper: str) -> list[str]:
    """Return the words of each sheet that the browser's printer would get."""
    sheets = pypdfium2.PdfDocument(page.pdf(format=paper, margin=MARGIN))
    return [" ".join(str(sheet.get_textpage().get_text_range()).split()) for sheet in sheets]


def order_path(certificate: Certificate) -> str:
    gift = find_gift(certificate.id)
    assert gift is not None
    path = f"/orders/{token_of(gift.order)}"
    db.session.rollback()
    return path


def code_of(certificate: Certificate) -> str:
    code = build.code_of(certificate)
    db.session.rollback()
    return code


@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_the_recipients_page_prints_on_one_sheet(shop: str, page: Page, certificate: Certificate, paper: str) -> None:
    code = code_of(certificate)
    page.goto(f"{shop}/c/{code}")
    sheets = printed(page, paper)
    assert sheets[1:] == []
    sheet = sheets[0]
    for said in ("$80.00", "(970) 555-0134", "Fort Collins", LONG[-30:]):
        assert said in sheet
    assert format_code(code) in sheet.replace(" ", "")  # its letters stand apart


@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_the_orders_page_prints_on_one_sheet(shop: str, page: Page, certificate: Certificate, paper: str) -> None:
    page.goto(f"{shop}{order_path(certificate)}")
    sheets = printed(page, paper)
    assert sheets[1:] == []
    sheet = sheets[0]
    for said in ("$120.00", "(970) 555-0134", "Fort Collins", LONG[-30:]):
        assert said in sheet


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_givers_words_are_shown_to_the_last_one(
    shop: str, browser: Browser, certificate: Certificate, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(f"{shop}{order_path(certificate)}")
    assert hidden_pixels(page) == 0
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-message]", LONG)
    page.wait_for_function("document.querySelector('[data-is=message]').textContent.endsWith('!')")
    assert hidden_pixels(page) == 0
    context.close()


def hidden_pixels(page: Page) -> int:
    """Return how much of the words lies outside of what is shown of them."""
    return int(page.eval_on_selector(".words", "element => element.scrollHeight - element.clientHeight"))


def test_zeros_are_slashed_in_codes_and_nowhere_else(shop: str, page: Page, certificate: Certificate) -> None:
    page.goto(f"{shop}/c/{code_of(certificate)}")
    look = "element => getComputedStyle(element).fontVariantNumeric"
    assert "slashed-zero" in page.eval_on_selector("#code", look)
    for plain in (".said", ".small", "td"):
        assert "slashed-zero" not in page.eval_on_selector(plain, look)
    drawn = {zero: ink(page, zero) for zero in ("normal", "slashed-zero")}
    assert drawn["slashed-zero"] > drawn["normal"] * 1.1


def ink(page: Page, variant: str) -> int:
    """Return how many dark pixels a zero of the text face has."""
    page.evaluate(SHOW_ZERO, variant)
    shot = page.screenshot(clip={"x": 0, "y": 0, "width": 100, "height": 100})
    return sum(Image.open(io.BytesIO(shot)).convert("L").histogram()[:128])


SHOW_ZERO = """async variant => {
    const zero = document.createElement("div");
    zero.textContent = "0";
    Object.assign(zero.style, {
        position: "fixed", inset: "0 auto auto 0", zIndex: 9, width: "100px", background: "#fff", color: "#000",
        font: "400 100px/1 'Atkinson Hyperlegible'", fontVariantNumeric: variant,
    });
    document.body.append(zero);
    await document.fonts.load("100px 'Atkinson Hyperlegible'", "0");
}"""
