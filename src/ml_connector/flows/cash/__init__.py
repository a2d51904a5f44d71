"""Stripe to Acumatica: each kind of money booked as the rules say."""
