"""What whoever holds a certificate reads of it."""
