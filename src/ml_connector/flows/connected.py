"""One connection, opened: everything a flow needs, handed to it as one parameter."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ml_connector.acumatica.client import AcumaticaClient
from ml_connector.basics.clock import Clock, start_of_day
from ml_connector.basics.ids import ConnectionId
from ml_connector.books.mapping import Mapping
from ml_connector.store.connections import Connection
from ml_connector.store.engine import Store
from ml_connector.stripe.client import StripeClient


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection with its mapping, its two clients, the store and the clock.

    `quiet` is how long a write without an answer may still take effect at the ERP: before it is
    over, nothing is sent again (Acumatica may keep a request queued for ten minutes).
    """

    record: Connection
    mapping: Mapping
    stripe: StripeClient
    acumatica: AcumaticaClient
    store: Store
    clock: Clock
    quiet: timedelta

    @property
    def begins(self) -> datetime:
        """The first moment of our books: midnight of the start date in the connection's zone."""
        return start_of_day(self.record.start_date, self.mapping.zone)

    @property
    def id(self) -> ConnectionId:
        """The connection's name."""
        return self.record.id
