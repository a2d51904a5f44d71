"""The window: server-rendered pages that show the account and let one act on it by hand."""
