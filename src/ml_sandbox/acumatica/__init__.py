"""A stand-in for Acumatica's contract-based REST API with a real double-entry ledger behind it."""
