"""The look's own promises: readable colours in every theme, and a sheet that the policy names by its hash."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from giftshop.foundation.settings import ROOT
from giftshop.web.assets import compact, read_stylesheet
from tests.storefront.conftest import Visitor, visitor  # noqa: F401  # a fixture

TOKENS = (ROOT / "static/css/tokens.css").read_text(encoding="utf-8")
PAIRS = re.findall(r"pair: (--[\w-]+) on (--[\w-]+) >= ([\d.]+)", TOKENS)


def theme(selector: str) -> dict[str, str]:
    """Return the colours a theme ends up with: the root's, and its own over them."""
    bare = re.sub(r"/\*.*?\*/", "", TOKENS, flags=re.DOTALL)
    blocks = [body for found, body in re.findall(r"([^{}]+)\{([^{}]*)\}", bare) if found.strip() in (":root", selector)]
    return dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", " ".join(blocks)))


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two colours."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    "selector",
    [":root", *(f'[data-theme="{name}"]' for name in ("indigo", "plum", "basalt", "lagoon")), ".staff"],
)
def test_every_promised_pair_of_colours_is_readable(selector: str) -> None:
    colours = theme(selector)
    assert len(PAIRS) == 22
    for text, ground, ratio in PAIRS:
        assert contrast(colours[text], colours[ground]) >= float(ratio), f"{text} on {ground}"


def test_compacting_keeps_strings_and_drops_the_rest() -> None:
    sheet = '/* why */ a , b {\n  color: red;\n}\n\n.x::before { content: "✓ "; }\n'
    assert compact(sheet) == 'a,b{color: red}.x::before{content: "✓ "}'


def test_a_sheet_that_could_end_its_element_is_refused(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "site.css").write_text("a { content: '</style>' }")
    with pytest.raises(ValueError, match="could end"):
        read_stylesheet(tmp_path)


def test_the_policy_names_the_sheet_that_stands_in_the_page(visitor: Visitor) -> None:  # noqa: F811
    page = visitor.open("/")
    (sheet,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
