"""The accountants' guide names what they must set up: exactly what the connector asks for."""

import re
from pathlib import Path

from ml_connector.acumatica.errors import FORMS
from ml_connector.flows.signals import WANTED

GUIDE = Path(__file__).parents[2] / "docs" / "accountants.md"


def test_the_webhook_events_of_the_guide_are_those_that_lead_to_work() -> None:
    page = GUIDE.read_text("utf-8")
    listed = page.partition("The events:")[2].partition("An event that is missing")[0]
    assert re.findall(r"`([a-z_.]+)`", listed) == WANTED


def test_the_role_of_the_guide_names_every_form_that_is_asked() -> None:
    step = GUIDE.read_text("utf-8").partition("**Users and roles")[2].partition("**Connected")[0]
    missing = [form for form in FORMS.values() if form not in step]
    assert missing == []
