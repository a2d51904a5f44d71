"""Months of a firm in five currencies: planned first, then acted out, by people and by Stripe."""
