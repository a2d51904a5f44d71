"""Documents that were refused as they were planned, and are said otherwise since.

Nothing is kept beside such a document: what it was to settle and its true day stand in itself.
"""

from dataclasses import replace

from ml_connector.books.closed import Dated, moved_to
from ml_connector.books.postings import ArPayment, Booked, Document, Voiding


def said_otherwise(paper: Document) -> bool:
    """Whether a document may not be any more as it was shown to a person first.

    One that was to settle more counts, too, though the rules may have made it so: who agreed to
    it as it stands is not asked again.
    """
    if isinstance(paper, Booked):
        return False
    if isinstance(paper, Voiding):
        return paper.day is not None or paper.keeps_day
    return paper.true_day is not None or (isinstance(paper, ArPayment) and bool(paper.wanted))


def stands_for(stored: Document, planned: Document) -> bool:
    """Whether a stored document is the planned one, only said otherwise since.

    Then the planned one need not be refused again to become the same.
    """
    return said_otherwise(stored) and stored == _as_said(planned, stored)


def _as_said(planned: Document, stored: Document) -> Document:
    """The planned document with what was said otherwise of the stored one."""
    if isinstance(planned, Voiding) and isinstance(stored, Voiding):
        return replace(
            planned,
            day=stored.day,
            true_day=stored.true_day,
            description=stored.description,
            keeps_day=stored.keeps_day,
        )
    other = _settling_less(planned, stored)
    if isinstance(other, Dated) and isinstance(stored, Dated) and stored.true_day is not None:
        return moved_to(other, stored.day)
    return other


def _settling_less(planned: Document, stored: Document) -> Document:
    if not (isinstance(planned, ArPayment) and isinstance(stored, ArPayment)):
        return planned
    if not stored.wanted or stored.wanted != (planned.wanted or planned.applications):
        return planned
    return replace(planned, applications=stored.applications, wanted=stored.wanted)
