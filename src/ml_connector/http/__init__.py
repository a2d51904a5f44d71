"""Carrying requests: pace, send, judge, retry and record, for both services alike."""
