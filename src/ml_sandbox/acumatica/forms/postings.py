"""Lines of a posting in a document's currency and in base, with the rounding put in one place."""

from decimal import Decimal

from ml_sandbox.acumatica.ledger import ZERO, Line
from ml_sandbox.acumatica.world import Unit


class Posting:
    """Collects lines by currency; `add` takes debits positive and credits negative."""

    def __init__(self, unit: Unit, *, description: str, reference: str, customer: str = "") -> None:
        self._unit = unit
        self._description = description
        self._reference = reference
        self._customer = customer
        self.lines: dict[str, list[Line]] = {}

    def add(
        self,
        account: str,
        branch: str,
        currency: str,
        amount: Decimal,
        base: Decimal,
        *,
        text: str = "",
        application: bool = False,
    ) -> None:
        """Adds one line, amounts already rounded."""
        self.lines.setdefault(currency, []).append(
            Line(
                account=account,
                branch=branch,
                amount=amount,
                base=base,
                description=text or self._description,
                reference=self._reference,
                customer=self._customer,
                application=application,
            )
        )

    def level(self, currency: str, *, keep: int = 0) -> None:
        """Puts the base rounding difference on the largest line other than the line `keep`."""
        lines = self.lines[currency]
        difference = sum((line.base for line in lines), ZERO)
        if difference:
            others = [line for number, line in enumerate(lines) if number != keep]
            max(others, key=lambda line: abs(line.base)).base -= difference
