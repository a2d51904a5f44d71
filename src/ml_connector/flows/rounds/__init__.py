"""What runs on a schedule: catching up, watching, tidying, backfilling."""
