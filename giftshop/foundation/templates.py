"""Gettext in templates, for every Jinja environment of the shop: pages, mails and papers say sentences alike.

A template uses Jinja's own i18n syntax. `{% trans %}` holds markup and escapes its values; `_()` and `ngettext()` give
plain text, escaped where it is shown, so that a translation cannot break out of an attribute.
"""

from typing import Any

from jinja2 import Environment, nodes, pass_context
from jinja2.ext import InternationalizationExtension
from jinja2.runtime import Context
from markupsafe import Markup, escape

from giftshop import words

_ONE, _MANY = "words_one", "words_many"


def add_words(environment: Environment) -> None:
    """Teach an environment `{% trans %}`, `_()` and `ngettext()`, in the language of the moment."""
    environment.add_extension(TransBlocks)
    environment.filters |= {_ONE: _say_one, _MANY: _say_many}
    environment.globals |= {"_": words.gettext, "gettext": words.gettext, "ngettext": words.ngettext}


class TransBlocks(InternationalizationExtension):
    """Jinja's own `{% trans %}`, compiled to a filter: calling gettext by way of the context costs five times more."""

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
        values = [nodes.Keyword(name, value) for name, value in variables.items() if vars_referenced]
        forms = [nodes.Const(form if vars_referenced else form.replace("%%", "%")) for form in (singular, plural or "")]
        if plural_expr is None:
            return nodes.Output([nodes.Filter(forms[0], _ONE, [], values, None, None)])
        return nodes.Output([nodes.Filter(forms[0], _MANY, [forms[1], plural_expr], values, None, None)])


@pass_context  # or Jinja would say it once, while it compiles the template
def _say_one(context: Context, message: str, /, **values: Any) -> str:
    return _filled(context, words.gettext(message), values) if values else words.gettext_markup(message)


@pass_context
def _say_many(context: Context, singular: str, plural: str, number: int, /, **values: Any) -> str:
    return _filled(context, words.choose_form(singular, plural, number), values)


def _filled(context: Context, pattern: str, values: dict[str, Any]) -> str:
    if not context.eval_ctx.autoescape:
        return pattern % values if values else pattern
    safe = {name: escape(value) for name, value in values.items()}
    return Markup(pattern % safe if safe else pattern)  # noqa: S704  # our own sentence, every value escaped
