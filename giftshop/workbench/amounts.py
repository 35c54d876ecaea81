"""Shows integer minor units as people read them, for the workbench's pages."""

_WHOLE = frozenset((
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf",
))  # fmt: skip
_THOUSANDTHS = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))


def display(amount: int, currency: str) -> str:
    """Return e.g. `$50.00`, `5,000 JPY` or `1.250 KWD`; integers only, never a float."""
    figures = 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
    whole, part = divmod(abs(amount), 10**figures)
    text = f"{'-' if amount < 0 else ''}{{}}{whole:,}" + (f".{part:0{figures}d}" if figures else "")
    return text.format("$") if currency == "usd" else f"{text.format('')} {currency.upper()}"
