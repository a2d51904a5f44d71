"""Makes ids in the service's style: prefix, a family digit, 23 letters and digits."""

import random
import string

LETTERS = string.ascii_letters + string.digits
SHORT = {"cus": 14, "prod": 14, "req": 14}
PAYMENT_FAMILY = frozenset({"pi", "ch", "py", "re", "pyr"})


class Ids:
    """A seeded source of ids: the same seed makes the same ids in the same order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def new(self, prefix: str, *, payment_family: bool = False) -> str:
        """A fresh id; payments, and events about them, start with 3, all others with 1."""
        if prefix in SHORT:
            return f"{prefix}_{self.text(SHORT[prefix])}"
        digit = "3" if payment_family or prefix in PAYMENT_FAMILY else "1"
        return f"{prefix}_{digit}{self.text(23)}"

    def text(self, length: int) -> str:
        """Random letters and digits."""
        return "".join(self._random.choices(LETTERS, k=length))

    def capitals(self, length: int) -> str:
        """Random capitals and digits, as in invoice prefixes."""
        return "".join(self._random.choices(string.ascii_uppercase + string.digits, k=length))
