"""The catalogue of sentences: whole, up to date with the sources, and fit to be translated."""

import re

from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

from giftshop.errors import ShopError
from giftshop.foundation.refusals import find_refusals
from giftshop.foundation.settings import ROOT
from tests.translations.pseudo import changed, known_messages, plain_words


def messages_in_the_sources() -> set[str]:
    """Return every sentence that is marked in the sources, as `make translations` finds them."""
    with (ROOT / "translations" / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = [
        message
        for folder in ("giftshop", "templates")
        for _file, _line, message, *_rest in extract_from_dir(ROOT / folder, methods, options)
    ]
    return {form for each in found for form in ([each] if isinstance(each, str) else each)}


def test_the_catalogue_is_up_to_date() -> None:
    in_sources = messages_in_the_sources()
    assert in_sources - known_messages() == set(), "run `make translations`"
    assert known_messages() - in_sources == set(), "run `make translations`"


def test_no_sentence_has_straight_apostrophes_or_quotes() -> None:
    """Where markup or a file's own syntax is quoted, the straight ones are right."""
    quoting = re.compile(r"<[^>]*>|`[^`]*`|^must be .*")
    found = {message for message in messages_in_the_sources() if re.search(r"['\"]", quoting.sub("", message))}
    assert found == set()


def test_every_refusal_of_the_shop_is_in_the_catalogue() -> None:
    said = {message for message in known_messages() if "\n\n" not in message}
    classes = [ShopError]
    for each in classes:
        classes.extend(each.__subclasses__())
    engineers = ("giftshop.backups", "giftshop.commands", "giftshop.foundation", "tests")
    asked = [each for each in classes if not each.__module__.startswith(engineers)]
    assert len(asked) > 50
    assert [
        each.__name__ for each in asked if (each.__doc__ or "") not in said and "\n" not in (each.__doc__ or "")
    ] == []


def test_only_refusals_are_taken_for_such() -> None:
    source = '''
class SoldOutError(ShopError):
    """There is none left."""

class NowhereError(errors.SoldOutError):
    """There is none anywhere."""

class BrokenPipeError(OSError):
    """For programs."""

class Shelf(ShopError):
    """No refusal by its name."""

class SilentError(ShopError):
    pass
'''
    assert [found.name for found in find_refusals(source)] == ["SoldOutError", "NowhereError"]


def test_a_sentence_names_its_values() -> None:
    unnamed = [message for message in known_messages() if re.search(r"%(?![(%]|\s|$|,)", message)]
    assert unnamed == []


def test_every_word_of_a_sentence_is_changed_and_nothing_else() -> None:
    sentence = 'Call %(phone)s, <a href="/balance">look</a> at 100%% of it: https://gifts.example'
    assert changed(sentence) == '‹Cáll %(phone)s, <a href="/balance">lóók</a> át 100%% óf ít: https://gifts.example›'
    assert plain_words("‹Cáll ús› or me") == ["or", "me"]


def test_scripts_hold_no_sentence() -> None:
    scripts = sorted((ROOT / "static" / "js").glob("*.js"))
    assert len(scripts) >= 7
    assert {script.name: found for script in scripts if (found := spoken_in(script.read_text(encoding="utf-8")))} == {}
    assert spoken_in("told.textContent = left < 0 ? `${-left} too many` : 'Copied it';") == [
        "${-left} too many",
        "Copied it",
    ]


def spoken_in(script: str) -> list[str]:
    """Return the texts of a script that hold several words, but selectors and addresses that are put together."""
    bare = re.sub(r"(?m)(^|\s)//.*$", "", script)
    texts = [found[1] for found in re.findall(r"""(['"`])((?:(?!\1).)*)\1""", bare)]
    spoken = [text for text in texts if re.search(r"[A-Za-z’]+ [a-z’]+", re.sub(r"\$\{.*?\}", "1", text))]
    return [text for text in spoken if text[0] not in ".#[" and text != "use strict"]
