"""E-mail addresses as people type them: exactly one, in the form that mail servers take."""

from email_validator import EmailNotValidError, validate_email

from giftshop.errors import ShopError


class AddressInvalidError(ShopError):
    """Enter an e-mail address, like name@example.com."""


def read_address(typed: str) -> str:
    """Read one e-mail address; a foreign domain comes back in its ASCII form. Raises AddressInvalidError."""
    try:
        # Reserved .test names pass: nobody is harmed by them, and rehearsals need them.
        found = validate_email(
            typed.strip()[:1000], check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError:
        raise AddressInvalidError from None
    return found.ascii_email or found.normalized
