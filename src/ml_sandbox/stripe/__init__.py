"""A stateful pretend Stripe: the real API's shapes, rules, events and money, in memory."""
