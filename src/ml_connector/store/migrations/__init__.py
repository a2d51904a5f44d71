"""The schema's history: each file in `versions` is one step forward."""
