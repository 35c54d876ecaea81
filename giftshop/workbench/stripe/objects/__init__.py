"""The objects of the simulated Stripe: sessions, payments, refunds, disputes, and how they change."""
