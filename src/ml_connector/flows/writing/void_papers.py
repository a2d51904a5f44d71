"""How a released payment or refund is voided: its document, the day of it, and the proof."""

from dataclasses import dataclass

from ml_connector.acumatica.documents import ErpDocument, voided
from ml_connector.acumatica.errors import Missing, NotReleasable
from ml_connector.basics.errors import ConnectorError, TryAgain
from ml_connector.basics.ids import ErpRef, erp_keys, erp_ref
from ml_connector.books.postings import Voiding
from ml_connector.flows.connected import Connected
from ml_connector.flows.writing.paper import DayKept, Paper, ReadBack, Stands
from ml_connector.flows.writing.read_back import voiding_differences


def void_paper(c: Connected, voiding: Voiding) -> Paper:
    """A voiding with the ways to handle it."""
    return _Voiding(c, voiding)


@dataclass(frozen=True, slots=True)
class _Voiding:
    """The voiding of a payment bears the payment's own number: it cannot stand there twice."""

    c: Connected
    voiding: Voiding

    @property
    def _ref(self) -> ErpRef:
        kind, number = erp_keys(self.voiding.payment)
        return erp_ref(voided(kind), number)

    async def hits(self) -> list[ErpDocument]:
        try:
            found = await self.c.acumatica.payment(self._ref)
        except Missing:
            return []
        return [ErpDocument(found.id, found.ref, found.status)]

    async def send(self) -> ErpDocument:
        try:
            ref = await self.c.acumatica.void_payment(self.voiding.payment)
        except TryAgain:
            raise
        except ConnectorError:
            # Somebody may have begun, or done, the same by hand: then that is the document.
            found = await self.hits()
            if not found:
                raise
            return found[0]
        return ErpDocument("", ref, "")

    def lacking(self, made: ErpDocument) -> bool:  # noqa: ARG002 - a mirror image but for its day
        return self.voiding.day is not None

    async def complete(self, ref: ErpRef) -> None:
        await self.correct(ref)

    async def correct(self, ref: ErpRef) -> None:
        """Gives it its day; whether Acumatica takes one is not certain (fact A6.6)."""
        if self.voiding.day is None:
            return
        try:
            told = await self.c.acumatica.date_voiding(
                ref, self.voiding.day, self.voiding.description
            )
        except TryAgain:
            raise
        except ConnectorError as refusal:
            raise DayKept(self.voiding) from refusal
        if told is None:  # an answer need not hold more than was sent, or not even that
            told = (await self.c.acumatica.payment(ref)).day
        if told != self.voiding.day:
            raise DayKept(self.voiding)

    async def stands(self, ref: ErpRef) -> Stands:
        found = await self.c.acumatica.payment(self.voiding.payment)
        if found.status == "Voided":
            return Stands(released=True)
        made = await self.c.acumatica.payment(ref)
        outdated = self.voiding.day is not None and made.day != self.voiding.day
        return Stands(released=False, outdated=outdated)

    async def release(self, ref: ErpRef) -> None:
        """Some sites put what they make of a void on hold first (fact A6.6)."""
        try:
            await self.c.acumatica.release_payment(ref)
        except NotReleasable:
            if (await self.c.acumatica.payment(ref)).status != "On Hold":
                raise
            await self.c.acumatica.take_off_hold(ref)
            await self.c.acumatica.release_payment(ref)

    async def read_back(
        self,
        ref: ErpRef,  # noqa: ARG002 - what counts is the payment
        *,
        released: bool = True,
    ) -> ReadBack:
        found = await self.c.acumatica.payment(self.voiding.payment)
        return ReadBack(found, voiding_differences(self.voiding, found, released=released))
