"""How a document is written to Acumatica exactly once, read back, and amended when refused."""
