"""The Acumatica side: one client that speaks neutral records and keeps the wire to itself."""
