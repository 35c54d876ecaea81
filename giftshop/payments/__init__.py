"""What Stripe knows: the gateway to it, the facts it tells, and how a payment falls on certificates."""
