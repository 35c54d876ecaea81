"""The catalogue of refusals: one class each, whose docstring is the sentence people read."""

import inspect

from giftshop.words import gettext


class ShopError(Exception):
    """Something went wrong. Please try again."""

    def __init__(self, message: str | None = None) -> None:
        """Speak the language of whoever is refused; a `message` of its own is translated by who raises it."""
        super().__init__(message or gettext(inspect.cleandoc(type(self).__doc__ or "")))

    @property
    def message(self) -> str:
        """The sentence for the person at the screen."""
        return str(self)


# --- what was typed ---------------------------------------------------------------------------------


class InvalidAmountError(ShopError):
    """Enter an amount in figures, like 120 or 120.50."""


class AmountTooFineError(InvalidAmountError):
    """Enter an amount in figures, no finer than the smallest coin of this currency."""


class AmountInTwoWaysError(InvalidAmountError):
    """Enter an amount in figures that can be read in one way only: 1250 or 12.50, but not 1.250."""


class InvalidCodeError(ShopError):
    """A code has 16 letters and figures in four groups, like 7KQ2-M4XD-9TFP-B3HV."""


class WrongCheckSymbolError(InvalidCodeError):
    """One character looks wrong. Compare it with the certificate."""


class SeveralCodesError(InvalidCodeError):
    """This can be read as more than one certificate. Scan it with the camera, or type one code."""


# --- certificates -----------------------------------------------------------------------------------


class CertificateNotFoundError(ShopError):
    """There is no such certificate."""


class CodeReplacedError(CertificateNotFoundError):
    """This code was replaced by a new one. Ask for the newer certificate."""


class InsufficientBalanceError(ShopError):
    """There is not that much left on this certificate."""


class CertificateFrozenError(ShopError):
    """This certificate is on hold. Please don’t redeem it."""


class CertificateVoidError(ShopError):
    """This certificate has ended. Nothing can be taken from it."""


class CertificateExpiredError(ShopError):
    """This certificate has expired."""


class WrongModeError(ShopError):
    """This is a test certificate. It has no value here."""


class NotRedeemedByYouError(ShopError):
    """Only the person who redeemed it, or a manager, can undo this."""


class TooLateToUndoError(ShopError):
    """The 15 minutes for an undo are over. A manager can still undo it."""


class TooManyUndosError(ShopError):
    """You have undone three redemptions today. A manager has to confirm the next one."""


class ReasonMissingError(ShopError):
    """Please say why."""


class NotFrozenByHandError(ShopError):
    """A bank is deciding about this payment. The hold ends when the dispute does."""


class AlreadyReversedError(ShopError):
    """This redemption has been undone already."""


class NotReversibleError(ShopError):
    """Only a redemption can be undone here."""


class NotFoundByCodeError(ShopError):
    """Scan or type the certificate’s code first."""


# --- requests that move money -----------------------------------------------------------------------


class NoteRefusedError(ShopError):
    """This note can’t be kept."""


class NoteTooLongError(NoteRefusedError):
    """A note has at most 140 characters."""


class NoteTellsCodeError(NoteRefusedError):
    """Leave the certificate’s code out of the note: whoever reads it could use it."""


class RequestKeyMissingError(ShopError):
    """This form is incomplete. Please open the page again."""


class RequestKeyReusedError(ShopError):
    """This form was already sent with other content. Please open the page again."""


class ChangedMeanwhileError(ShopError):
    """This has changed since you opened the page. Look at it, and press once more if that is still right."""


# --- orders -----------------------------------------------------------------------------------------


class OrderNotFoundError(ShopError):
    """There is no such order."""


class OfferNotFoundError(ShopError):
    """Choose one of the amounts, or type your own."""


class SalesPausedError(ShopError):
    """We are not selling gift certificates at the moment."""


class AmountOutOfBoundsError(ShopError):
    """That amount is outside what we can sell."""


class BuyerLimitError(ShopError):
    """That is more than we can sell to one person in a day. Please call us."""


class TooManyOpenCheckoutsError(ShopError):
    """You have several unfinished payments open. Please finish or cancel one, or try again in an hour."""

    def __init__(self, message: str | None = None, *, wait_seconds: int = 3600) -> None:
        """Keep after how many seconds it may be tried again."""
        super().__init__(message)
        self.wait_seconds = wait_seconds


class OrderTooOldError(ShopError):
    """This order has waited for too long. Please look it over and order anew. What you filled in is kept."""


class OfferChangedError(ShopError):
    """Since you ordered, the price or what we sell has changed. Please look it over and order anew."""


class ChangedSinceShownError(OfferChangedError):
    """Since this page was opened, the price or what we sell has changed. Please look it over and continue once more."""


class CheckoutUnavailableError(ShopError):
    """We couldn’t reach the payment page. Nothing was charged. Please try again."""


class CheckoutRefusedError(ShopError):
    """The payment page could not be opened. Nothing was charged. We have been told and will look at it."""


class NothingToRefundError(ShopError):
    """Nothing of this can be paid back: it is used up, or was paid back already."""


class RefundTooLargeError(ShopError):
    """That is more than can be paid back. What was used already stays with us."""


class RefundNotAllowedError(ShopError):
    """You may not pay back that much. Please ask the owner."""


class MoveNotAllowedError(ShopError):
    """That step does not follow from the state the order is in."""


# --- the shop itself --------------------------------------------------------------------------------


class SettingsError(ShopError):
    """The settings are wrong."""


class WrongDatabaseError(ShopError):
    """This database belongs to another mode of the shop."""


class WrongKeysError(ShopError):
    """The secrets of the environment are not those this database was made with."""


class CountersLostError(ShopError):
    """We can’t do that at the moment: something is wrong on our side. Nothing of yours is lost, and a certificate stays
    good. Please try again in a few minutes, or call us."""


class DatabaseBusyError(ShopError):
    """The shop is busy. Please try again in a moment."""
