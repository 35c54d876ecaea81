"""Gettext in templates, for every Jinja environment of the shop: pages, mails and papers say sentences alike.

A template uses Jinja's own i18n syntax. `{% trans %}` holds markup and escapes its values; `_()` and `ngettext()` give
plain text, escaped where it is shown, so that a translation cannot break out of an attribute.

It is compiled once for each language it is shown in, with that language's sentences in it. Looked for at every showing
they cost a page three per cent; so they cost nothing, in any language.
"""

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from jinja2 import Environment, nodes, pass_context
from jinja2.environment import copy_cache
from jinja2.ext import InternationalizationExtension
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from giftshop import words

_MANY = "words_many"
_VALUE = re.compile(r"%\((\w+)\)s")
_Compiled = MutableMapping[Any, Any] | None


class SpeakingEnvironment(Environment):
    """A Jinja environment that keeps what it has compiled for each language apart."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.add_extension(TransBlocks)
        self.filters |= {_MANY: _say_many, "with_article": words.with_article}
        self.globals |= {"_": words.gettext, "gettext": words.gettext, "ngettext": words.ngettext}

    @property
    def cache(self) -> _Compiled:
        """What is compiled in the current language, by what translates it; Jinja asks for it at every template."""
        catalogue = words.current_catalogue()
        if catalogue not in self._compiled:
            self._compiled[catalogue] = copy_cache(self._empty)
        return self._compiled[catalogue]

    @cache.setter
    def cache(self, cache: _Compiled) -> None:
        self._empty, self._compiled = copy_cache(cache), dict[words.Catalogue, _Compiled]()

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed: nodes.Template = _Said().visit(super()._parse(source, name, filename))
        parsed.set_environment(self)
        return parsed


class TransBlocks(InternationalizationExtension):
    """Jinja's own `{% trans %}`, said while the template is compiled; only a plural waits for its number."""

    def _make_node(  # the signature is Jinja's
        self,
        singular: str,
        plural: str | None,
        context: str | None,  # noqa: ARG002
        variables: dict[str, nodes.Expr],
        plural_expr: nodes.Expr | None,
        vars_referenced: bool,
        num_called_num: bool,  # noqa: ARG002
    ) -> nodes.Output:
        """Return the node that says a sentence; one without values is no pattern, and `%` in it is only a sign."""
        values = variables if vars_referenced else {}
        one, many = (form if values else form.replace("%%", "%") for form in (singular, plural or ""))
        if plural_expr is None:
            return nodes.Output(list(_pieces(words.gettext(one), values)))
        named = [nodes.Keyword(name, value) for name, value in values.items()]
        return nodes.Output(
            [nodes.Filter(nodes.Const(one), _MANY, [nodes.Const(many), plural_expr], named, None, None)]
        )


def _pieces(pattern: str, values: dict[str, nodes.Expr]) -> Iterator[nodes.Expr]:
    """Yield a sentence as the template would hold it without translation: its text, and its values in between."""
    if not values:
        yield nodes.TemplateData(pattern)
        return
    for number, piece in enumerate(_VALUE.split(pattern)):
        yield values[piece] if number % 2 else nodes.TemplateData(piece.replace("%%", "%"))


class _Said(NodeTransformer):
    """Says every `_("…")` that has no values, wherever it stands in an expression."""

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802  # the visitor's naming
        self.generic_visit(call)
        is_ours = isinstance(call.node, nodes.Name) and call.node.name == "_"
        is_plain = len(call.args) == 1 and not (call.kwargs or call.dyn_args or call.dyn_kwargs)
        sentence = call.args[0] if is_ours and is_plain else None
        if not isinstance(sentence, nodes.Const):
            return call
        return nodes.Const(words.gettext(sentence.value), lineno=call.lineno)


@pass_context
def _say_many(context: Context, singular: str, plural: str, number: int, /, **values: Any) -> str:
    pattern = words.choose_form(singular, plural, number)
    if not context.eval_ctx.autoescape:
        return pattern % values if values else pattern
    safe = {name: escape(value) for name, value in values.items()}
    return Markup(pattern % safe if safe else pattern)  # noqa: S704  # our own sentence, every value escaped
