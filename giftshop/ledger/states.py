"""What a certificate is at a moment, as data: which state may follow which."""

from enum import StrEnum, auto


class CertificateStatus(StrEnum):
    """Usable, frozen for a reason that is on record, or ended with nothing on it."""

    ACTIVE = auto()
    FROZEN = auto()
    VOID = auto()


MOVES = {
    CertificateStatus.ACTIVE: {CertificateStatus.FROZEN, CertificateStatus.VOID},
    CertificateStatus.FROZEN: {CertificateStatus.ACTIVE, CertificateStatus.VOID},
    CertificateStatus.VOID: {CertificateStatus.FROZEN, CertificateStatus.ACTIVE},
}
"""A certificate that has ended comes back only with value: by an undo, or frozen with what a bank gave back."""
ALIVE = (CertificateStatus.ACTIVE, CertificateStatus.FROZEN)
