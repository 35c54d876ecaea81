"""What Stripe's documentation says of each currency: which there are, in which units, from and up to how much.

Written down here a second time, on purpose: the shop's own table may be wrong, and then this one refuses what it sends.
From https://docs.stripe.com/currencies as of 2026-07-10, and its list for the United Arab Emirates.
"""

from giftshop.workbench.stripe.api_errors import ApiError

_TWO_DECIMALS = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk
dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp
lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd
rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx uyu uzs wst xcd xcg yer zar zmw
"""
_WHOLE = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE_DECIMALS = "bhd jod kwd omr tnd"
DECIMALS = {
    code: decimals
    for codes, decimals in ((_TWO_DECIMALS, 2), (_WHOLE, 0), (_THREE_DECIMALS, 3))
    for code in codes.split()
}
_WITHOUT_FRACTIONS = ("isk", "ugx")
_LEAST = {
    **dict.fromkeys(
        [
            "usd",
            "ars",
            "aud",
            "brl",
            "cad",
            "chf",
            "cop",
            "eur",
            "idr",
            "ils",
            "inr",
            "nzd",
            "php",
            "rub",
            "sgd",
            "zar",
            "jpy",
            "krw",
        ],
        50,
    ),
    **dict.fromkeys(["aed", "myr", "pln", "ron"], 200),
    **dict.fromkeys(["nok", "sek"], 300),
    **{"czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17_500, "mxn": 1000, "thb": 1000},
}
_MOST = {
    "cop": 9_999_999_999,
    "huf": 999_999_999_999,
    "idr": 999_999_999_999,
    "inr": 999_999_999,
    "jpy": 9_999_999_999,
    "lbp": 999_999_999_999,
}
_USUAL_LEAST, _USUAL_MOST = 50, 99_999_999


def check_currency(code: str, *, param: str) -> None:
    """Raise ApiError for a currency that Stripe does not take."""
    if code not in DECIMALS:
        known = ", ".join(DECIMALS)
        raise ApiError(f"Invalid currency: {code}. Stripe currently supports these currencies: {known}", param=param)


def check_step(amount: int, code: str, *, param: str) -> None:
    """Raise ApiError for a fraction of what counts in whole units, or for thousandths that no card network carries."""
    if code in _WITHOUT_FRACTIONS and amount % 100:
        raise ApiError(
            f"Invalid amount. Currency {code.upper()} has become effectively zero-decimal and charged amounts must be "
            "evenly divisible by 100.",
            param=param,
        )
    if DECIMALS[code] == 3 and amount % 10:
        raise ApiError(f"Invalid amount. The last digit must be 0 in {code.upper()}.", param=param)


def check_total(total: int, code: str, *, param: str) -> None:
    """Raise ApiError for a sum that cannot be one payment."""
    least, most = _LEAST.get(code, _USUAL_LEAST), _MOST.get(code, _USUAL_MOST)
    if total < least:
        raise ApiError(f"The total must be at least {least} {code}.", code="amount_too_small", param=param)
    if total > most:
        raise ApiError(f"The total must be no more than {most} {code}.", code="amount_too_large", param=param)
    check_step(total, code, param=param)
