"""The database: every query lives here, one module per table family.

Functions take the transaction first and never commit: only the outermost caller does.
"""
