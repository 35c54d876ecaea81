"""Payments that a bank questions: held until it has decided, then given back or lost."""
