"""The rules of each form: what may be entered, what is filled in, what release does."""
