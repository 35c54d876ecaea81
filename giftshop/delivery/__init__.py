"""How it reaches people: deliveries, messages, the mailer."""
