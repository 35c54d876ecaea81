"""The priced lines of a Checkout Session, for `sessions`."""

from decimal import Decimal

import stripe

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError, no_such
from giftshop.workbench.stripe.objects.skeletons import build


def build_line_item(bench: Workbench, line: Json, number: int) -> Json:
    """Return the line item for one entry of `line_items`; ApiError for a price or quantity that makes no sense."""
    where = f"line_items[{number}]"
    quantity = line.get("quantity", 0)
    if quantity < 1:
        raise ApiError("Quantity must be 1 or more.", code="parameter_missing", param=f"{where}[quantity]")
    price = _price(bench, line, where)
    total = price["unit_amount"] * quantity
    return build(
        stripe.LineItem, id=bench.new_id("li_1"), amount_subtotal=total, amount_total=total,
        currency=price["currency"], description=_name(bench, line, price), price=price, quantity=quantity,
        metadata=line.get("metadata", {}),
    )  # fmt: skip


def build_price(bench: Workbench, *, currency: str, unit_amount: int, product: str) -> Json:
    """Return a one-time price."""
    return build(
        stripe.Price, id=bench.new_id("price_1"), active=True, created=bench.now(), currency=currency,
        product=product, type="one_time", unit_amount=unit_amount, unit_amount_decimal=str(unit_amount),
        tax_behavior="unspecified",
    )  # fmt: skip


def _price(bench: Workbench, line: Json, where: str) -> Json:
    if "price" in line:
        found = bench.store.find(line["price"], "price")
        if found is None:
            raise no_such("price", line["price"], param=f"{where}[price]")
        return found
    data = line.get("price_data")
    if not data or not ("product_data" in data or "product" in data):
        param = f"{where}[price_data][product_data]"
        raise ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)
    product = data.get("product") or bench.new_id("prod_", 14)
    currency = data["currency"].lower()
    return build_price(bench, currency=currency, unit_amount=_unit_amount(data, where), product=product)


def _unit_amount(data: Json, where: str) -> int:
    """Return whole minor units; a price of parts of a cent is legal at Stripe and never wanted here."""
    amount = Decimal(str(data.get("unit_amount", data.get("unit_amount_decimal", -1))))
    if amount < 0 or amount != int(amount):
        param = f"{where}[price_data][unit_amount]"
        raise ApiError(f"Invalid non-negative integer: {param}", code="parameter_invalid_integer", param=param)
    return int(amount)


def _name(bench: Workbench, line: Json, price: Json) -> str:
    if "price_data" in line and "product_data" in line["price_data"]:
        name: str = line["price_data"]["product_data"]["name"]
        return name
    product = bench.store.find(price["product"], "product")
    return str(product["name"] if product else price["product"])
