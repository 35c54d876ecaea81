"""The addresses of the office, for the app: which function answers which. Who may is told in staff/rights.py."""

from collections.abc import Callable

from flask import Blueprint
from flask.typing import ResponseReturnValue

from giftshop.office import acts, evidence, messages, order, orders, refund, review, today
from giftshop.staff.rights import has_role

blueprint = Blueprint("office", __name__, url_prefix="/office")

_Pages = dict[str, tuple[str, Callable[..., ResponseReturnValue]]]
_NUMBER = "int(max=9223372036854775807)"

_GET: _Pages = {
    "/": ("today", today.show_today),
    "/orders": ("orders", orders.show_orders),
    f"/orders/<{_NUMBER}:order_id>": ("order", order.show_order),
    f"/orders/<{_NUMBER}:order_id>/asked-back": ("show_asked_back", refund.show_asked_back),
    f"/messages/<{_NUMBER}:message_id>/resend": ("show_resend", messages.show_resend),
    f"/disputes/<{_NUMBER}:dispute_id>/evidence.pdf": ("evidence", evidence.send_evidence),
    "/certificates/<public_id>/refund": ("show_refund", refund.show_refund),
}
_POST: _Pages = {
    f"/alerts/<{_NUMBER}:alert_id>/done": ("tick_alert", today.tick_alert),
    f"/orders/<{_NUMBER}:order_id>/note": ("write_note", order.write_note),
    f"/orders/<{_NUMBER}:order_id>/accept": ("accept", review.accept),
    f"/orders/<{_NUMBER}:order_id>/pay-back": ("pay_back", review.pay_back),
    f"/orders/<{_NUMBER}:order_id>/asked-back": ("pay_asked_back", refund.pay_asked_back),
    f"/notes/<{_NUMBER}:note_id>/blank": ("blank_note", order.blank_note),
    f"/messages/<{_NUMBER}:message_id>/resend": ("resend", messages.resend),
    "/messages/send-all": ("send_all", messages.send_all),
    "/certificates/<public_id>/refund": ("refund", refund.refund),
}

for _method, _rules in (("GET", _GET), ("POST", _POST)):
    for _address, (_endpoint, _answer) in _rules.items():
        blueprint.add_url_rule(_address, _endpoint, _answer, methods=[_method])

for _name in acts.ACTS:
    _address, _said = f"/certificates/<public_id>/{_name}", {"name": _name}
    blueprint.add_url_rule(_address, f"show_{_name}", acts.show_act, methods=["GET"], defaults=_said)
    blueprint.add_url_rule(_address, _name, acts.send_act, methods=["POST"], defaults=_said)

blueprint.add_app_template_global(has_role)
