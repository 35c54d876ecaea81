"""The vault: found by HMAC, opened by authenticated encryption, both rotating; a stolen database opens nothing."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator

import pytest

from giftshop.certificates import vault
from giftshop.certificates.vault import SealBrokenError

OLD_PEPPER, NEW_PEPPER = b"o" * 32, b"n" * 32
OLD_KEY, NEW_KEY = b"\x01" * 32, b"\x02" * 32


@pytest.fixture(autouse=True)
def _locked_before_and_as_it_was_after() -> Iterator[None]:
    kept = (list(vault._Keys.peppers), list(vault._Keys.keys))
    vault.unlock(peppers=[], keys=[])
    yield
    vault.unlock(peppers=kept[0], keys=kept[1])


def test_nothing_is_found_sealed_or_opened_before_unlocking() -> None:
    with pytest.raises(SealBrokenError):
        vault.lookup("CODE")
    with pytest.raises(SealBrokenError):
        vault.lookups("CODE")
    with pytest.raises(SealBrokenError):
        vault.seal("CODE", "A")
    with pytest.raises(SealBrokenError):
        vault.open_sealed(bytes(48), "A")


def test_the_lookup_value_is_the_hmac_of_the_decision_record() -> None:
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    assert vault.lookup("K7M2QX9RTB4DHVWR") == hmac.new(NEW_PEPPER, b"K7M2QX9RTB4DHVWR", hashlib.sha256).digest()


def test_an_old_pepper_still_finds_and_the_newest_writes() -> None:
    vault.unlock(peppers=[OLD_PEPPER], keys=[OLD_KEY])
    stored = vault.lookup("CODE")
    vault.unlock(peppers=[NEW_PEPPER, OLD_PEPPER], keys=[OLD_KEY])
    assert stored in vault.lookups("CODE")
    assert vault.lookup("CODE") == vault.lookups("CODE")[0] != stored
    vault.unlock(peppers=[NEW_PEPPER], keys=[OLD_KEY])
    assert stored not in vault.lookups("CODE")


def test_an_old_key_still_opens_and_the_newest_seals() -> None:
    vault.unlock(peppers=[NEW_PEPPER], keys=[OLD_KEY])
    before = vault.seal("CODE", "A")
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY, OLD_KEY])
    after = vault.seal("CODE", "A")
    assert vault.open_sealed(before, "A") == vault.open_sealed(after, "A") == "CODE"
    assert (before[:4], after[:4]) == (hashlib.sha256(OLD_KEY).digest()[:4], hashlib.sha256(NEW_KEY).digest()[:4])
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    with pytest.raises(SealBrokenError):
        vault.open_sealed(before, "A")


def test_a_code_takes_48_bytes_and_never_the_same_twice() -> None:
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    sealed = {vault.seal("K7M2QX9RTB4DHVWR", "A") for _ in range(100)}
    assert len(sealed) == 100
    assert {len(each) for each in sealed} == {48}


def test_a_sealed_code_moved_to_another_certificate_is_refused() -> None:
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    with pytest.raises(SealBrokenError):
        vault.open_sealed(vault.seal("CODE", "A"), "B")


def test_every_changed_byte_is_noticed() -> None:
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    sealed = vault.seal("K7M2QX9RTB4DHVWR", "A")
    for place in range(len(sealed)):
        forged = bytes([*sealed[:place], sealed[place] ^ 1, *sealed[place + 1 :]])
        with pytest.raises(SealBrokenError):
            vault.open_sealed(forged, "A")


def test_what_was_cut_short_is_refused() -> None:
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    sealed = vault.seal("K7M2QX9RTB4DHVWR", "A")
    for length in range(len(sealed)):
        with pytest.raises(SealBrokenError):
            vault.open_sealed(sealed[:length], "A")


def test_a_wrong_key_with_the_same_name_is_refused() -> None:
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    sealed = vault.seal("CODE", "A")
    other = secrets.token_bytes(32)
    vault.unlock(peppers=[NEW_PEPPER], keys=[other])
    with pytest.raises(SealBrokenError):
        vault.open_sealed(hashlib.sha256(other).digest()[:4] + sealed[4:], "A")


@pytest.mark.parametrize("text", ["", "Ana", "Żaneta 李小龙 محمد 🌿", "x" * 10_000])
def test_any_text_comes_out_as_it_went_in(text: str) -> None:
    vault.unlock(peppers=[NEW_PEPPER], keys=[NEW_KEY])
    assert vault.open_sealed(vault.seal(text, "Ana’s"), "Ana’s") == text
