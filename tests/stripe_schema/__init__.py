"""Checks requests, objects and events against what the installed Stripe SDK declares; for every test.

Nothing here was written to fit the workbench or the shop: the shapes are read from the SDK's own types.
"""

from tests.stripe_schema.validators import (
    StripeSchemaError,
    validate_event,
    validate_object,
    validate_recorded,
    validate_request,
)

__all__ = ["StripeSchemaError", "validate_event", "validate_object", "validate_recorded", "validate_request"]
