"""Pages for buyers and recipients, and the Stripe webhook."""
