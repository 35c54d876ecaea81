"""Where certificates/keyboards.json comes from: what each layout of xkb-data types for the keys that a scanner presses.

`python -m tests.certificates.keyboards_from_xkb` writes the file anew from this machine's xkb-data, read through
libxkbcommon, which resolves includes and variants as every Linux desktop does.
"""

import ctypes
import json
import subprocess
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p

from giftshop.certificates.keyboards import KEYS, TABLES

READ = {
    "de": "de",
    "at": "de",
    "ch": "de_CH",
    "ch:fr": "fr_CH",
    "fr": "fr",
    "fr:afnor": "fr",
    "be": "nl_BE",
    "ca": "fr_CA",
    "ca:multix": "fr_CA",
    "es": "es",
    "latam": "es_419",
    "it": "it",
    "pt": "pt",
    "br": "pt_BR",
    "nl": "nl",
    "se": "sv",
    "fi": "fi",
    "no": "no",
    "dk": "da",
    "is": "is",
    "tr": "tr",
    "il": "he",
    "cz": "cs",
    "sk": "sk",
    "hu": "hu",
    "pl": "pl",
    "pl:qwertz": "pl",
    "hr": "hr",
    "si": "sl",
    "rs:latin": "sr_Latn",
    "ba": "bs",
    "me": "sr_Latn_ME",
    "al": "sq",
    "ro": "ro",
    "ro:std": "ro",
    "ro:winkeys": "ro",
    "ee": "et",
    "lv": "lv",
    "lt": "lt",
    "mt": "mt",
    "gb": "en_GB",
    "ie": "en",
    "us:intl": "en_US",
    "us:altgr-intl": "en_US",
    "jp": "ja",
    "kr": "ko",
}
"""Layouts that are read back, with the locale that names each; those on which all arrives unchanged fall out."""
NAMED = {
    "gr": "el",
    "ru": "ru",
    "ua": "uk",
    "by": "be",
    "bg": "bg",
    "mk": "mk",
    "rs": "sr",
    "kz": "kk",
    "ara": "ar",
    "ir": "fa",
    "th": "th",
    "in": "hi",
    "ge": "ka",
    "am": "hy",
    "vn": "vi",
    "us:dvorak": "Dvorak",
    "us:colemak": "Colemak",
    "fr:bepo": "Bépo",
    "de:neo": "Neo",
    "tr:f": "Türkçe F",
}
"""Layouts that only get a name: signs are lost on some, and on others any words of that language would be a scan."""
_ROWS = {"AE": "1234567890-=", "AD": "QWERTYUIOP[]", "AC": "ASDFGHJKL;'", "AB": "ZXCVBNM,./"}
_PLACES = {sign: f"{row}{number:02}" for row, signs in _ROWS.items() for number, sign in enumerate(signs, 1)}
_LOST = "\0"


class _Names(ctypes.Structure):
    _fields_ = [(name, c_char_p) for name in ("rules", "model", "layout", "variant", "options")]


def read_tables() -> dict[str, object]:
    """Return what the file holds, as this machine's xkb-data says it: one table for all layouts that type the same."""
    plain = _read_layout("us")
    found: dict[tuple[str, str, bool], dict[str, object]] = {}
    for layouts, is_read in ((READ, True), (NAMED, False)):
        for name, called in layouts.items():
            typed = _read_layout(name)
            if _as_scanned(*typed) == _as_scanned(*plain):
                continue
            table = found.setdefault((*typed, is_read), {"layouts": [], "names": []})
            for key, value in (("layouts", name), ("names", called)):
                if value not in (values := table[key]):  # type: ignore[operator]
                    values.append(value)  # type: ignore[attr-defined]
    tables = [
        {**names, "plain": typed, "shifted": shifted, "is_read": is_read}
        for (typed, shifted, is_read), names in found.items()
    ]
    return {"source": f"xkb-data {_version()}, /usr/share/X11/xkb/symbols", "keys": KEYS, "tables": tables}


def _as_scanned(typed: str, shifted: str) -> str:
    """Return what an address's signs come out as: letters and the colon shifted, all else plain."""
    return "".join(
        high if key.isalpha() or key == ";" else low for key, low, high in zip(KEYS[:-1], typed, shifted, strict=False)
    )


def _read_layout(name: str) -> tuple[str, str]:
    """Return what the keys type without and with Shift on "de" or "ch:fr"; NUL for a key that types no sign."""
    xkb = _library()
    layout, _, variant = name.partition(":")
    names = _Names(b"evdev", b"pc105", layout.encode(), variant.encode(), b"")
    keymap = xkb.xkb_keymap_new_from_names(xkb.xkb_context_new(0), byref(names), 0)
    if not keymap:
        raise LookupError(name)
    low, high = ("".join(_sign(xkb, keymap, key, level) for key in KEYS) for level in (0, 1))
    return low, high


def _sign(xkb: ctypes.CDLL, keymap: int, key: str, level: int) -> str:
    symbols = POINTER(c_uint32)()
    code = xkb.xkb_keymap_key_by_name(keymap, _PLACES[key].encode())
    count = xkb.xkb_keymap_key_get_syms_by_level(keymap, code, 0, level, byref(symbols))
    return chr(xkb.xkb_keysym_to_utf32(symbols[0])) if count else _LOST


def _library() -> ctypes.CDLL:
    xkb = ctypes.CDLL("libxkbcommon.so.0")
    xkb.xkb_context_new.restype = xkb.xkb_keymap_new_from_names.restype = c_void_p
    xkb.xkb_keymap_new_from_names.argtypes = [c_void_p, c_void_p, c_int]
    xkb.xkb_keymap_key_by_name.argtypes, xkb.xkb_keymap_key_by_name.restype = [c_void_p, c_char_p], c_uint32
    xkb.xkb_keymap_key_get_syms_by_level.argtypes = [c_void_p, c_uint32, c_uint32, c_uint32, c_void_p]
    xkb.xkb_keysym_to_utf32.argtypes, xkb.xkb_keysym_to_utf32.restype = [c_uint32], c_uint32
    xkb.xkb_keysym_get_name.argtypes = [c_uint32, c_char_p, c_size_t]
    return xkb


def _version() -> str:
    asked = ["dpkg-query", "--show", "--showformat=${Version}", "xkb-data"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    TABLES.write_text(json.dumps(read_tables(), ensure_ascii=False, indent=1) + "\n")
