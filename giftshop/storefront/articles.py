"""Articles that help a reader first and lead to booking and to the gift second."""

from typing import NamedTuple

from flask import abort, render_template

from giftshop.storefront.art import draw_sample


class Article(NamedTuple):
    """An article as lists show it; its text is the template named after its slug."""

    title: str
    teaser: str
    design: str
    minutes: int


ARTICLES = {
    "when-your-back-locks-up": Article(
        "When your back locks up",
        "What a spasm is, what helps in the first hour, and when to call a doctor instead of us.",
        "raked-sand",
        5,
    ),
    "before-your-visit": Article(
        "Before your visit",
        "What to wear, what to tell us, and how the hour goes.",
        "still-water",
        2,
    ),
}


def list_articles() -> str:
    """Show every article with a line about it."""
    return render_template("storefront/articles.html", articles=ARTICLES, draw=draw_sample)


def show_article(slug: str) -> str:
    """Show one article, or 404."""
    article = ARTICLES.get(slug)
    if article is None:
        abort(404)
    return render_template(f"storefront/articles/{slug}.html", article=article, art=draw_sample(article.design))
