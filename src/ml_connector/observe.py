"""Logs as JSON lines on standard error, and every metric's name in one list."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

SIGNALS = Counter("ml_signals_total", "Signals received", ["connection", "source", "outcome"])
JOBS = Counter("ml_jobs_total", "Jobs run, by how they ended", ["connection", "kind", "outcome"])
JOB_SECONDS = Histogram("ml_job_seconds", "How long a job took", ["kind"])
CALLS = Counter(
    "ml_api_calls_total", "HTTP calls made", ["connection", "service", "method", "status"]
)
POSTINGS = Counter("ml_postings_total", "Documents verified", ["connection", "purpose"])
DIFFERENCE = Gauge(
    "ml_tie_out_difference_minor", "Clearing less Stripe, unexplained", ["connection", "currency"]
)


def start_logging(level: str) -> None:
    """Sets up structured logging for this process: one JSON object a line, on standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
