"""The account behind the key, and the endpoint its events go to; for the doctor of a shop, who asks Stripe for both."""

from stripe import WebhookEndpoint

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.objects.skeletons import build
from giftshop.workbench.stripe.webhooks.events import API_VERSION


def get_account(_bench: Workbench, _params: Json) -> Json:
    """Return the account: in the parts that tell who it is and whether it may take payments."""
    return {
        "id": "acct_sim",
        "object": "account",
        "charges_enabled": True,
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "The simulated Stripe"}},
    }


def list_endpoints(bench: Workbench, _params: Json) -> Json:
    """Return the one endpoint there is, which gets every event unless a test has changed it."""
    endpoint = build(
        WebhookEndpoint,
        id="we_sim",
        url=f"{bench.shop_url()}/webhooks/stripe",
        enabled_events=["*"],
        status="enabled",
        api_version=API_VERSION,
    )
    changed = {**endpoint, **bench.store.setting("endpoint", {})}
    return {"object": "list", "url": "/v1/webhook_endpoints", "has_more": False, "data": [changed]}
