"""The only place that builds things and joins them: settings in, a working installation out."""

from ml_connector.assemble.installation import Installation, installation
from ml_connector.assemble.switchboard import Switchboard, switchboard

__all__ = ["Installation", "Switchboard", "installation", "switchboard"]
