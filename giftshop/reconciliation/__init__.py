"""Keeping the books and Stripe the same: webhook events, review, the regular run, recovery, the close."""
