"""Stripe's world: its requests, its answers as neutral records, its webhooks and its errors."""
