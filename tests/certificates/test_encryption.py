"""The vault: found by HMAC, opened by authenticated encryption, both rotating; a stolen database opens nothing."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator

import pytest

from giftshop.certificates import encryption
from giftshop.certificates.encryption import SealBrokenError

OLD_PEPPER, NEW_PEPPER = b"o" * 32, b"n" * 32
OLD_KEY, NEW_KEY = b"\x01" * 32, b"\x02" * 32


@pytest.fixture(autouse=True)
def _locked_before_and_as_it_was_after() -> Iterator[None]:
    kept = (list(encryption._Keys.peppers), list(encryption._Keys.keys))
    encryption.unlock(peppers=[], keys=[])
    yield
    encryption.unlock(peppers=kept[0], keys=kept[1])


def test_nothing_is_found_sealed_or_opened_before_unlocking() -> None:
    with pytest.raises(SealBrokenError):
        encryption.lookup("CODE")
    with pytest.raises(SealBrokenError):
        encryption.lookups("CODE")
    with pytest.raises(SealBrokenError):
        encryption.seal("CODE", "A")
    with pytest.raises(SealBrokenError):
        encryption.open_sealed(bytes(48), "A")


def test_the_lookup_value_is_the_hmac_of_the_decision_record() -> None:
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    assert encryption.lookup("K7M2QX9RTB4DHVWR") == hmac.new(NEW_PEPPER, b"K7M2QX9RTB4DHVWR", hashlib.sha256).digest()


def test_an_old_pepper_still_finds_and_the_newest_writes() -> None:
    encryption.unlock(peppers=[OLD_PEPPER], keys=[OLD_KEY])
    stored = encryption.lookup("CODE")
    encryption.unlock(peppers=[NEW_PEPPER, OLD_PEPPER], keys=[OLD_KEY])
    assert stored in encryption.lookups("CODE")
    assert encryption.lookup("CODE") == encryption.lookups("CODE")[0] != stored
    encryption.unlock(peppers=[NEW_PEPPER], keys=[OLD_KEY])
    assert stored not in encryption.lookups("CODE")


def test_an_old_key_still_opens_and_the_newest_seals() -> None:
    encryption.unlock(peppers=[NEW_PEPPER], keys=[OLD_KEY])
    before = encryption.seal("CODE", "A")
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY, OLD_KEY])
    after = encryption.seal("CODE", "A")
    assert encryption.open_sealed(before, "A") == encryption.open_sealed(after, "A") == "CODE"
    assert (before[:4], after[:4]) == (hashlib.sha256(OLD_KEY).digest()[:4], hashlib.sha256(NEW_KEY).digest()[:4])
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    with pytest.raises(SealBrokenError):
        encryption.open_sealed(before, "A")


def test_a_code_takes_48_bytes_and_never_the_same_twice() -> None:
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    sealed = {encryption.seal("K7M2QX9RTB4DHVWR", "A") for _ in range(100)}
    assert len(sealed) == 100
    assert {len(each) for each in sealed} == {48}


def test_a_sealed_code_moved_to_another_certificate_is_refused() -> None:
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    with pytest.raises(SealBrokenError):
        encryption.open_sealed(encryption.seal("CODE", "A"), "B")


def test_every_changed_byte_is_noticed() -> None:
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    sealed = encryption.seal("K7M2QX9RTB4DHVWR", "A")
    for place in range(len(sealed)):
        forged = bytes([*sealed[:place], sealed[place] ^ 1, *sealed[place + 1 :]])
        with pytest.raises(SealBrokenError):
            encryption.open_sealed(forged, "A")


def test_what_was_cut_short_is_refused() -> None:
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    sealed = encryption.seal("K7M2QX9RTB4DHVWR", "A")
    for length in range(len(sealed)):
        with pytest.raises(SealBrokenError):
            encryption.open_sealed(sealed[:length], "A")


def test_a_wrong_key_with_the_same_name_is_refused() -> None:
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    sealed = encryption.seal("CODE", "A")
    other = secrets.token_bytes(32)
    encryption.unlock(peppers=[NEW_PEPPER], keys=[other])
    with pytest.raises(SealBrokenError):
        encryption.open_sealed(hashlib.sha256(other).digest()[:4] + sealed[4:], "A")


@pytest.mark.parametrize("text", ["", "Ana", "Żaneta 李小龙 محمد 🌿", "x" * 10_000])
def test_any_text_comes_out_as_it_went_in(text: str) -> None:
    encryption.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    assert encryption.open_sealed(encryption.seal(text, "Ana’s"), "Ana’s") == text
