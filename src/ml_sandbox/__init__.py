"""Faithful stand-ins for Acumatica and Stripe: real TCP, real state, their own books."""
