"""The practice in cases about money back: a desk that redeems and an owner who refunds, each in one browser."""

import secrets
from dataclasses import dataclass

import requests

from tests import buyer
from tests.stripe_cases.purchases import Purchase
from tests.stripe_cases.records import Row
from tests.stripe_cases.scene import Scene, until

OWNER = "owner@example.com"


@dataclass
class Practice:
    """Who works at the shop of a case, signed in once, because a second factor's code is good once."""

    scene: Scene
    desk: buyer.Till
    owner: buyer.Till

    @classmethod
    def of(cls, scene: Scene) -> "Practice":
        return cls(scene, buyer.Till(scene.shop), buyer.Till(scene.shop, OWNER))

    def redeem(self, order: Purchase, cents: int) -> int:
        """Find the order's certificate by the code in its mail and take an amount off; return the answer's status."""
        until(lambda: codes_of(order), f"the gift of {order.public_id}")
        return self.redeem_found(self.desk.find(codes_of(order)[0]), cents)

    def redeem_found(self, public_id: str, cents: int) -> int:
        token = self.desk.token(public_id)
        answer = self.desk.redeem(public_id, f"{cents / 100:.2f}", key=secrets.token_urlsafe(18), token=token)
        return answer.status_code

    def refund(self, order: Purchase, cents: int) -> requests.Response:
        """Pay back from the office; return the page it ends on."""
        path = f"/office/certificates/{certificate_of(order)['public_id']}/refund"
        fields = {"amount": f"{cents / 100:.2f}", "reason": "they asked", "request_key": secrets.token_urlsafe(18)}
        return self.owner.post(path, **fields)


def codes_of(order: Purchase) -> list[str]:
    """Return the codes that the recipient has been sent so far; other messages may have come before or after."""
    return [code for mail in order.mails()[1] for code in buyer.codes_in(mail)]


def certificate_of(order: Purchase) -> Row:
    """Return the order's only certificate as it is now."""
    (certificate,) = order.scene.records.certificates(order.public_id)
    return certificate


def balance_of(order: Purchase) -> tuple[str, int]:
    """Return the status and what is left, in minor units."""
    certificate = certificate_of(order)
    return certificate["status"], certificate["balance_cents"]


def kinds_of(order: Purchase) -> list[str]:
    """Return the kinds of the certificate's ledger entries, oldest first."""
    return [entry["kind"] for entry in order.scene.records.entries(order.public_id)]


def charge_of(order: Purchase) -> Row:
    """Return the charge that paid the order, as Stripe has it."""
    charges: list[Row] = order.scene.bench.get("/state")["charges"]
    return next(each for each in charges if each["payment_intent"] == order.row["payment_intent_id"])
