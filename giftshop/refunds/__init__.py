"""Money back to the buyer: held, asked for at Stripe, and what became of it."""
