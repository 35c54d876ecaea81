"""The webhooks of the simulated Stripe: events, their deliveries, and forged ones."""
