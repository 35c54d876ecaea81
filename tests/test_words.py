"""Words: the current language, its catalogue, and what a sentence costs while there is but English."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from jinja2 import DictLoader, Environment

from giftshop import words
from giftshop.errors import CertificateNotFoundError, TooLateToUndoError
from giftshop.foundation.templates import SpeakingEnvironment
from giftshop.words import N_, _, gettext, ngettext


class Loud:
    """A language of capital letters that stands in for a catalogue."""

    def gettext(self, message: str, /) -> str:
        return message.upper().replace("%(NAME)S", "%(name)s")

    def ngettext(self, singular: str, plural: str, number: int, /) -> str:
        return (singular if number < 3 else plural).upper().replace("%(NUM)S", "%(num)s")


@pytest.fixture
def loud() -> Iterator[str]:
    words.register("loud", Loud())
    yield "loud"
    words.unregister("loud")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A language whose catalogue was compiled."""
    catalogue = Catalog(locale="es")
    catalogue.add("Sign in", "Entrar")
    catalogue.add(("%(num)s certificate", "%(num)s certificates"), ("%(num)s bono", "%(num)s bonos"))
    catalogue.add("There is no such certificate.", "No existe ese bono.")
    file = tmp_path / "es" / "LC_MESSAGES" / "messages.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        write_mo(opened, catalogue)
    monkeypatch.setattr(words, "CATALOGUES", tmp_path)
    words._find_language.cache_clear()
    yield "es"
    words._find_language.cache_clear()


def test_english_says_what_stands_in_the_source() -> None:
    assert _("Call %(phone)s.", phone="555 0100") == "Call 555 0100."
    assert ngettext("%(num)s gift", "%(num)s gifts", 1) == "1 gift"
    assert ngettext("%(num)s gift for %(name)s", "%(num)s gifts for %(name)s", 2, name="Ana") == "2 gifts for Ana"
    assert (words.current_language(), N_("Later")) == ("en", "Later")


@pytest.mark.parametrize("value", ["100%", "%(name)s", "%s", "%%", "‹›", ""])
def test_a_value_may_hold_any_sign(value: str) -> None:
    assert _("For %(name)s", name=value) == f"For {value}"
    assert ngettext("%(name)s: %(num)s", "%(name)s: %(num)s", 2, name=value) == f"{value}: 2"


def test_a_per_cent_sign_is_a_sign_where_there_are_no_values() -> None:
    assert _("Print it at 100%, then fold it.") == "Print it at 100%, then fold it."
    assert _("%(share)s%% of it", share=90) == "90% of it"


def test_a_language_is_spoken_meanwhile_and_by_nobody_else(loud: str) -> None:
    elsewhere: list[str] = []
    with words.in_language(loud):
        assert _("For %(name)s", name="Ana") == "FOR Ana"
        assert ngettext("%(num)s gift", "%(num)s gifts", 3) == "3 GIFTS"
        other = threading.Thread(target=lambda: elsewhere.append(_("Sign in")))
        other.start()
        other.join()
    assert elsewhere == ["Sign in"]
    assert _("Sign in") == "Sign in"


def test_the_language_before_comes_back_after_a_failure(loud: str) -> None:
    with pytest.raises(ZeroDivisionError), words.in_language(loud):
        _ = 1 / 0
    assert words.current_language() == "en"


def test_a_compiled_catalogue_is_a_language(made: str) -> None:
    assert words.list_languages() == ["en", "es"]
    with words.in_language(made):
        assert _("Sign in") == "Entrar"
        assert ngettext("%(num)s certificate", "%(num)s certificates", 2) == "2 bonos"
        assert _("Not in it") == "Not in it"
        assert _("") == ""
        assert CertificateNotFoundError().message == "No existe ese bono."
    assert CertificateNotFoundError().message == "There is no such certificate."


def test_a_refusal_speaks_the_language_it_was_raised_in(loud: str) -> None:
    with words.in_language(loud), pytest.raises(TooLateToUndoError) as refused:
        raise TooLateToUndoError
    assert refused.value.message.startswith("THE 15 MINUTES FOR AN UNDO ARE OVER.")
    assert TooLateToUndoError("As it is").message == "As it is"


def test_a_language_nobody_made_is_refused() -> None:
    with pytest.raises(words.UnknownLanguageError):
        words.speak("tlh")
    assert words.current_language() == "en"


def test_english_alone_loads_nothing_of_babel_and_of_flask() -> None:
    script = (
        "import sys; from giftshop.words import _; from giftshop.errors import ShopError; _('x'); ShopError().message;"
        "sys.exit(str([name for name in sys.modules if name.split('.')[0] in ('babel', 'flask', 'flask_babel')]))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == "[]"


@pytest.fixture
def environment() -> Environment:
    return SpeakingEnvironment(autoescape=True)


@pytest.mark.parametrize(
    ("template", "english"),
    [
        ("{% trans %}Save 10% <b>now</b>{% endtrans %}", "Save 10% <b>now</b>"),
        ("{% trans name=name %}<b>{{ name }}</b> saves 10%{% endtrans %}", "<b>A &amp; B</b> saves 10%"),
        ("{% trans name %}For {{ name }}{% endtrans %}", "For A &amp; B"),
        ("{{ _('For %(name)s', name=name) }}", "For A &amp; B"),
        ("{{ _('10%') }}", "10%"),
        ("{% trans count=1 %}one <i>gift</i>{% pluralize %}{{ count }} gifts{% endtrans %}", "one <i>gift</i>"),
        ("{% trans count=2 %}one gift{% pluralize %}{{ count }} gifts, 5%{% endtrans %}", "2 gifts, 5%"),
        ("{% trans count=2 %}a 5% gift{% pluralize %}5% gifts{% endtrans %}", "5% gifts"),
        ("{{ ngettext('%(num)s gift', '%(num)s gifts', 2) }}", "2 gifts"),
        ("{% trans trimmed %}\n  two\n  lines\n{% endtrans %}", "two lines"),
    ],
)
def test_a_template_says_sentences_and_escapes_values(environment: Environment, template: str, english: str) -> None:
    assert environment.from_string(template).render(name="A & B") == english


def test_a_translation_cannot_break_out_of_an_attribute(environment: Environment) -> None:
    class Quoting(Loud):
        def gettext(self, message: str, /) -> str:
            return 'a "quote" & more'

    words.register("quoting", Quoting())
    with words.in_language("quoting"):
        page = environment.from_string("""<p title="{{ _('Hint') }}">""")
        assert page.render() == '<p title="a &#34;quote&#34; &amp; more">'
    words.unregister("quoting")


def test_a_template_is_compiled_once_for_each_language(environment: Environment, loud: str) -> None:
    sources = {
        "frame": "{% trans %}Sign in{% endtrans %}, {% block more %}{% endblock %}",
        "page": "{% extends 'frame' %}{% block more %}{{ _('or') }} "
        "{% trans name='Ana' %}for {{ name }}{% endtrans %}{% endblock %}",
    }
    environment.loader = DictLoader(sources)
    assert environment.get_template("page").render() == "Sign in, or for Ana"
    with words.in_language(loud):
        assert environment.get_template("page").render() == "SIGN IN, OR FOR Ana"
        assert environment.get_template("page") is environment.get_template("page")
    assert environment.get_template("page").render() == "Sign in, or for Ana"


def test_a_translation_may_turn_the_values_round(environment: Environment) -> None:
    class Turned(Loud):
        def gettext(self, message: str, /) -> str:
            return "%(to)s %% <i>%(from_)s</i> %(to)s"

    words.register("turned", Turned())
    with words.in_language("turned"):
        page = environment.from_string("{% trans from_='<a>', to='<b>' %}{{ from_ }} to {{ to }}{% endtrans %}")
    assert page.render() == "&lt;b&gt; % <i>&lt;a&gt;</i> &lt;b&gt;"
    words.unregister("turned")


def test_gettext_is_the_long_name_of_the_underscore() -> None:
    assert gettext is words._


ARTICLES = [
    ("60-minute massage", "a 60-minute massage"),
    ("80-minute massage", "an 80-minute massage"),
    ("8-minute massage", "an 8-minute massage"),
    ("11-minute massage", "an 11-minute massage"),
    ("18-minute massage", "an 18-minute massage"),
    ("180-minute massage", "a 180-minute massage"),
    ("108-minute massage", "a 108-minute massage"),
    ("81st session", "an 81st session"),
    ("800-breath session", "an 800-breath session"),
    ("1,100-breath session", "a 1,100-breath session"),
    ("11,000-breath session", "an 11,000-breath session"),
    ("Aromatherapy massage", "an Aromatherapy massage"),
    ("Élan", "an Élan"),
    ("Hour of quiet", "an Hour of quiet"),
    ("Hot stone massage", "a Hot stone massage"),
    ("One-hour massage", "a One-hour massage"),
    ("Onward hour", "an Onward hour"),
    ("Unique hour", "a Unique hour"),
    ("Uninterrupted hour", "an Uninterrupted hour"),
    ("Usual visit", "a Usual visit"),
    ("Ultimate massage", "an Ultimate massage"),
    ("European massage", "a European massage"),
    ("Eucalyptus bath", "a Eucalyptus bath"),
    ("Evening massage", "an Evening massage"),
    ("The long one", "The long one"),
    ("A quiet hour", "A quiet hour"),
    ("Your hour", "Your hour"),
    ("Anatomy class", "an Anatomy class"),
]


@pytest.mark.parametrize(("thing", "said"), ARTICLES)
def test_a_thing_has_the_article_with_which_it_is_said(thing: str, said: str, loud: str) -> None:
    assert words.with_article(thing) == said
    with words.in_language(loud):  # what stands before it is the translator's
        assert words.with_article(thing) == said.removesuffix(thing).upper() + thing


def test_templates_have_articles_too(environment: Environment) -> None:
    page = environment.from_string("{% trans a_session=session|with_article %}For {{ a_session }}.{% endtrans %}")
    assert page.render(session="80-minute massage") == "For an 80-minute massage."
