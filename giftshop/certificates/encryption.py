"""The vault: how secrets lie in the database, found by HMAC and kept by authenticated encryption.

For codes, order tokens and message facts. Pepper and keys come from the environment and are never stored,
so a stolen database or backup opens nothing. Both rotate: the newest comes first and writes, older ones read.
"""

import functools
import hashlib
import hmac
import os
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from giftshop.errors import ShopError

KEY_ID_BYTES, _NONCE = 4, 12


class SealBrokenError(ShopError):
    """A stored secret could not be opened: its key is missing, or it was moved or changed."""


class _Keys:
    """What the process was started with; nothing opens before `unlock`."""

    peppers: tuple[bytes, ...] = ()
    keys: tuple[bytes, ...] = ()


def unlock(*, peppers: list[bytes], keys: list[bytes]) -> None:
    """Take the peppers and the 32-byte AES keys of this process, newest first."""
    _Keys.peppers, _Keys.keys = tuple(peppers), tuple(keys)
    _ciphers.cache_clear()


def lookup(secret: str) -> bytes:
    """Return the 32 bytes under which `secret` is stored now (HMAC-SHA-256 with the newest pepper)."""
    return lookups(secret)[0]


def lookups(secret: str) -> list[bytes]:
    """Return every value under which `secret` may be stored, one for each pepper, newest first."""
    if not _Keys.peppers:
        raise SealBrokenError
    return [hmac.digest(pepper, secret.encode(), "sha256") for pepper in _Keys.peppers]


def seal(text: str, binding: str) -> bytes:
    """Encrypt `text` so that it opens only beside `binding` (kid ‖ nonce ‖ AES-256-GCM)."""
    if not _ciphers():
        raise SealBrokenError
    return next(seal_with_each(text, binding))


def seal_with_each(text: str, binding: str) -> Iterator[bytes]:
    """Yield `text` as each key seals it, newest first."""
    for kid, cipher in _ciphers().items():
        nonce = os.urandom(_NONCE)
        yield kid + nonce + cipher.encrypt(nonce, text.encode(), binding.encode())


def key_id(sealed: bytes) -> bytes:
    """Return which key sealed something: how it begins."""
    return sealed[:KEY_ID_BYTES]


def open_sealed(sealed: bytes, binding: str) -> str:
    """Decrypt what `seal` made beside the same `binding`. Raises SealBrokenError."""
    cipher = _ciphers().get(sealed[:KEY_ID_BYTES])
    if cipher is None:
        raise SealBrokenError
    nonce, body = sealed[KEY_ID_BYTES : KEY_ID_BYTES + _NONCE], sealed[KEY_ID_BYTES + _NONCE :]
    try:
        return cipher.decrypt(nonce, body, binding.encode()).decode()
    except (InvalidTag, ValueError):  # ValueError: cut short
        raise SealBrokenError from None


@functools.cache
def _ciphers() -> dict[bytes, AESGCM]:
    return {hashlib.sha256(key).digest()[:KEY_ID_BYTES]: AESGCM(key) for key in _Keys.keys}
