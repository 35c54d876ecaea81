"""Links that stand within a sentence, for templates: the sentence itself knows no address."""

from markupsafe import Markup, escape


def phone_link(number: str) -> Markup:
    """Return a telephone number that can be called by touching it."""
    return Markup(f'<a href="tel:{escape(number.replace(" ", ""))}">{escape(number)}</a>')  # noqa: S704  # escaped


def mail_link(address: str) -> Markup:
    """Return an e-mail address that can be written to by touching it."""
    return Markup(f'<a href="mailto:{escape(address)}">{escape(address)}</a>')  # noqa: S704  # escaped
