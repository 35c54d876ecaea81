"""The home page and the terms: what the shop is, and what it promises."""

from flask import render_template

from giftshop import clock
from giftshop.catalog.offers import list_public_offers
from giftshop.catalog.practice import get_practice
from giftshop.catalog.terms import amount_bounds, certificate_terms, refund_sentence, short_terms
from giftshop.storefront.art import draw_sample
from giftshop.storefront.articles import ARTICLES


def show_home() -> str:
    """Show the two ways on, the offers, and an article worth reading."""
    practice = get_practice()
    slug, article = next(iter(ARTICLES.items()))
    return render_template(
        "storefront/home.html",
        offers=list_public_offers(),
        bounds=amount_bounds(practice),
        terms=short_terms(practice),
        art=draw_sample("shoulders"),
        article_slug=slug,
        article=article,
        article_art=draw_sample(article.design),
    )


def show_terms() -> str:
    """Show every promise that stands on a certificate."""
    practice = get_practice()
    return render_template(
        "storefront/terms.html",
        sentences=certificate_terms(practice, on=clock.today(practice.time_zone)),
        refund=refund_sentence(practice),
        bounds=amount_bounds(practice),
        art=draw_sample("eucalyptus"),
    )
