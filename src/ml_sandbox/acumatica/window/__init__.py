"""The window: pages on which a person sees the tenant's records and acts on them."""
