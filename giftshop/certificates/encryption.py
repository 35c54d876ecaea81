"""The vault: how secrets lie in the database, found by HMAC and kept by authenticated encryption.

For codes, order tokens and message facts. Pepper and keys come from the environment and are never stored,
so a stolen database or backup opens nothing. Both rotate: the newest comes first and writes, older ones read.
"""

import functools
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from giftshop.errors import ShopError

_KEY_ID, _NONCE = 4, 12


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
    kid, cipher = next(iter(_ciphers().items()), (b"", None))
    if cipher is None:
        raise SealBrokenError
    nonce = os.urandom(_NONCE)
    return kid + nonce + cipher.encrypt(nonce, text.encode(), binding.encode())


def open_sealed(sealed: bytes, binding: str) -> str:
    """Decrypt what `seal` made beside the same `binding`. Raises SealBrokenError."""
    cipher = _ciphers().get(sealed[:_KEY_ID])
    if cipher is None:
        raise SealBrokenError
    nonce, body = sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :]
    try:
        return cipher.decrypt(nonce, body, binding.encode()).decode()
    except (InvalidTag, ValueError):  # ValueError: cut short
        raise SealBrokenError from None


@functools.cache
def _ciphers() -> dict[bytes, AESGCM]:
    return {hashlib.sha256(key).digest()[:_KEY_ID]: AESGCM(key) for key in _Keys.keys}
