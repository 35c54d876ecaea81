"""The one place where the parts of the shop are joined."""

from datetime import date, datetime
from pathlib import Path

from flask import Flask, Request, request
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from limits.errors import StorageError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadRequest
from whitenoise import WhiteNoise

from giftshop import dates, money, schedule, words
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import find_practice, is_open_for_sales
from giftshop.certificates import encryption
from giftshop.commands import main
from giftshop.delivery import deliveries, stuck
from giftshop.delivery.mailer import Mailer
from giftshop.errors import DatabaseBusyError
from giftshop.foundation import jobs, logs
from giftshop.foundation.database import db, end_session, engine_options, only_reads, prepare_engine
from giftshop.foundation.settings import ROOT, Settings, read_settings
from giftshop.notifications.unprintable import watch_the_press
from giftshop.office import views as office_pages
from giftshop.payments.gateway import StripeGateway
from giftshop.redemption import views as redemption_pages
from giftshop.staff import views as staff_pages
from giftshop.staff.sign_in import configure_sign_in
from giftshop.storefront import recipient, webhook
from giftshop.storefront import views as storefront_pages
from giftshop.web import error_pages, headers, health, language, links, opening, proxies, scripts
from giftshop.web.assets import read_stylesheet
from giftshop.web.compression import pack
from giftshop.web.limiter import close_counters, limiter, limiter_config

MOST_BYTES, MOST_FORM_BYTES = 1_000_000, 500_000
YEAR_SECONDS = 31_536_000


def create_app(settings: Settings | None = None) -> Flask:
    """Build the shop from its settings (read from the environment by default). Raises SettingsError."""
    settings = settings or read_settings()
    logs.set_up_logs(settings)
    encryption.unlock(peppers=settings.code_pepper_list, keys=settings.code_key_list)
    app = Flask("giftshop", root_path=str(ROOT))
    app.config.from_mapping(_flask_config(settings), SHOP_SETTINGS=settings)
    _open_database(app)
    language.listen_to_visitors(app)
    health.ask_nobody(app)
    proxies.watch_proxies(app, settings.proxy_hops)
    opening.keep_closed(app, settings)
    _protect(app, settings)
    _prepare_templates(app, settings)
    app.extensions["stripe_gateway"] = _build_gateway(settings)
    for pages in (storefront_pages, staff_pages, redemption_pages, office_pages, webhook, health):
        app.register_blueprint(pages.blueprint)
    _answer_errors(app, settings)
    app.after_request(pack)
    scripts.name_ways_on(app)
    schedule.register_jobs(app)
    watch_the_press()
    deliveries.register_job(_build_mailer(settings), base_url=settings.base_url)
    health.TELLERS["mail"] = stuck.tell_machines
    main.add_commands(app)
    _serve_static(app)
    health.answer_at_any_host(app, settings.host)
    proxies.believe_proxies(app, settings.proxy_hops)
    return app


def close_app(app: Flask) -> None:
    """Close every connection the app has opened, for whoever builds more than one in a process."""
    jobs.disconnect()
    close_counters()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _build_gateway(settings: Settings) -> StripeGateway:
    return StripeGateway(
        secret_key=settings.stripe_secret_key,
        api_base=settings.stripe_api_base,
        webhook_secrets=settings.webhook_secrets,
    )


def _build_mailer(settings: Settings) -> Mailer:
    return Mailer(
        sender=settings.mail_from,
        smtp_url=settings.smtp_url,
        mailbox_url=settings.workbench_url,
        mailbox_key=settings.stripe_secret_key,
    )


def _answer_errors(app: Flask, settings: Settings) -> None:
    error_pages.answer_errors(app)
    error_pages.answer_elsewhere(app, settings.base_url)
    app.register_error_handler(StorageError, lambda _lost: error_pages.answer(503, DatabaseBusyError().message))


def _serve_static(app: Flask) -> None:
    """Serve fonts and pictures before the app is asked; scripts and sheets are its own, for `pack` makes them smaller.

    Browsers may keep them all: their addresses change with their content.
    """
    static = Path(app.static_folder or "")
    files = WhiteNoise(app.wsgi_app, max_age=YEAR_SECONDS)
    for folder in ("fonts", "img"):
        files.add_files(static / folder, prefix=f"static/{folder}/")
    app.wsgi_app = headers.protect_files(files)  # type: ignore[method-assign]


def _flask_config(settings: Settings) -> dict[str, object]:
    is_https = settings.base_url.startswith("https://")
    newest, *older = settings.secret_key_list
    return {
        "SECRET_KEY": newest,
        "SECRET_KEY_FALLBACKS": older,
        "WTF_CSRF_SECRET_KEY": settings.signing_keys,  # a form that stood open meanwhile is still ours
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
        "TRUSTED_HOSTS": [settings.host_name],
        "MAX_CONTENT_LENGTH": MOST_BYTES,
        "MAX_FORM_MEMORY_SIZE": MOST_FORM_BYTES,
        "SEND_FILE_MAX_AGE_DEFAULT": YEAR_SECONDS,
        "SESSION_COOKIE_NAME": "__Host-giftshop" if is_https else "giftshop",
        "SESSION_COOKIE_SECURE": is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,  # a form may stand open as long as its session lives
        "WTF_CSRF_SSL_STRICT": False,  # security_headers compares the origin, also where no referrer is sent
        **limiter_config(settings.ratelimit_storage_uri, database_url=settings.database_url),
    }


def _open_database(app: Flask) -> None:
    db.init_app(app)
    app.teardown_appcontext(end_session)  # runs before Flask-SQLAlchemy's own, which lets nothing go wrong
    Migrate(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        prepare_engine(db.engine)

    @app.before_request
    def read_unless_posted() -> None:
        if request.method in ("GET", "HEAD"):
            only_reads()


def _protect(app: Flask, settings: Settings) -> None:
    logs.log_requests(app)
    app.before_request(_refuse_unreadable)
    headers.refuse_foreign_forms(app, settings)
    app.before_request(redemption_pages.allow_photos)
    limiter.init_app(app)
    configure_sign_in(app)  # who is signed out is led to the sign-in before a token that went with it is looked at
    csrf = CSRFProtect(app)
    csrf.exempt(webhook.blueprint)
    csrf.exempt(recipient.record_opening)  # its page has no form and no cookie, and this changes nothing but the log


def _refuse_unreadable() -> None:
    """Refuse addresses that no database could look for: NUL and lone surrogates."""
    if not _is_readable(request):
        raise BadRequest


def _is_readable(asked: Request) -> bool:
    text = asked.path + "".join(f"{name}{value}" for name, value in asked.args.items(multi=True))
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _prepare_templates(app: Flask, settings: Settings) -> None:
    """Give every template the practice, the mode and the style sheet, and filters for money and time."""
    stylesheet = read_stylesheet(Path(app.static_folder or ""))
    headers.add_security_headers(app, settings, style_source=stylesheet.sha256)

    @app.context_processor
    def frame() -> dict[str, object]:
        practice = _practice_if_any()
        return {
            "practice": practice,
            "is_selling": practice is not None and is_open_for_sales(practice),
            "mode": settings.stripe_mode,
            "styles": stylesheet.text,
            "language": words.current_language(),
        }

    app.add_template_filter(links.phone_link)
    app.add_template_filter(links.mail_link)
    app.add_template_filter(money.format_amount, "money")
    app.add_template_filter(money.format_choice, "money_choice")
    app.add_template_filter(_written_day, "day")
    app.add_template_filter(_written_moment, "moment")


def _practice_if_any() -> Practice | None:
    """Return the practice for a page's frame; pages that say the database is away must do without it."""
    try:
        return find_practice()
    except SQLAlchemyError:
        db.session.rollback()
        return None


def _written_day(when: date | datetime) -> str:
    """Write a day, or the day of a moment in the practice's zone."""
    if not isinstance(when, datetime):
        return dates.write_short_day(when)
    practice = find_practice()
    return dates.write_short_day(when.date()) if practice is None else dates.write_local_day(when, practice.time_zone)


def _written_moment(when: datetime) -> str:
    practice = find_practice()
    return dates.write_moment(when, practice.time_zone if practice else "UTC")
