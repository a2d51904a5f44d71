"""What the firm of a scenario has decided, as its mapping says it."""

from ml_connector.basics.errors import Bug
from ml_connector.cli.setup import SANDBOX_MAPPING

CHOICES = {
    "": "",
    "fx_transit": """
[transit.CAD]
cash = "10680ST"
account = "10680"
counterpart = "10500"
""",
    "next_open_day": """
[policies]
closed_period = "next_open"
""",
}
"""What each word of a scenario adds to the mapping of the sandbox."""


def mapping_of_choice(choice: str) -> str:
    """The mapping's text for a scenario's choice; raises Bug for one that is not known."""
    if choice not in CHOICES:
        raise Bug(f"A scenario asks for the choice {choice!r}, which has no mapping.")
    return SANDBOX_MAPPING.read_text("utf-8") + CHOICES[choice]
