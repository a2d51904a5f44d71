"""Acumatica to Stripe: customers and invoices, kept level in both directions."""
