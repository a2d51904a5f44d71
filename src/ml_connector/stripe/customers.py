"""Customers in Stripe: the mirror of the ERP's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ml_connector.basics.ids import StripeId
from ml_connector.books.records import Address, ErpCustomer, StripeCustomer
from ml_connector.stripe import translate, wire
from ml_connector.stripe.caller import Caller, at, metadata_query
from ml_connector.stripe.translate import id_of

if TYPE_CHECKING:  # the package's parameter types are slow to load and not needed to run
    from stripe.params import CustomerUpdateParams, CustomerUpdateParamsAddress

CUSTOMERS = "/v1/customers"
UNCHARGEABLE = frozenset({"invoice_too_small", "invoice_too_large"})
LONGEST_NAME, LONGEST_EMAIL, LONGEST_PHONE = 256, 512, 20


class Customers(Caller):
    """The calls that concern customers."""

    async def create_customer(self, customer: ErpCustomer) -> StripeCustomer:
        """Creates the twin of an ERP customer; the same data creates it once within a day."""
        params = _filled(self._customer_params(customer))
        subject = f"customer:{customer.customer_id}"
        made = await self._create(CUSTOMERS, wire.Customer, params, subject, still=_not_deleted)
        return translate.customer(made)

    async def update_customer(self, customer_id: StripeId, customer: ErpCustomer) -> StripeCustomer:
        """Makes a customer equal to its ERP twin; empty fields are cleared. Raises Missing."""
        params, step = self._customer_params(customer), f"update:{customer.modified.isoformat()}"
        path = at(CUSTOMERS, customer_id)
        return translate.customer(await self._post(path, wire.Customer, params, customer_id, step))

    async def customer(self, customer_id: StripeId) -> StripeCustomer:
        """A customer, also a deleted one (`deleted`); raises Missing for an unknown id."""
        path = at(CUSTOMERS, customer_id)
        return translate.customer(await self._get(path, wire.Customer, resource=customer_id))

    async def find_customers(self, customer_id: str, *, email: str = "") -> list[StripeCustomer]:
        """This connection's twins of an ERP customer, then unmarked ones of an e-mail address.

        The search for the mark lags behind writes; the list by e-mail (exact) does not.
        """
        query = metadata_query(erp_customer=customer_id)
        marked = [hit async for hit in self._found(CUSTOMERS, wire.Customer, query)]
        hits = [hit for hit in marked if self._is_twin(hit, customer_id)]
        if email:
            listed = self._rows(CUSTOMERS, wire.Customer, {"email": email})
            hits += [row async for row in listed if self._is_twin_or_free(row, customer_id)]
        return list({hit.id: translate.customer(hit) for hit in hits}.values())

    async def forgive_debt(self, customer_id: StripeId, invoice_id: StripeId) -> None:
        """Takes off the customer's balance what an invoice put onto it, once: two calls.

        Stripe does that with an amount that it cannot charge (fact S3.6).
        """
        path, undoes = at(CUSTOMERS, customer_id, "balance_transactions"), "mlc_undoes"
        rows = [row async for row in self._rows(path, wire.CustomerMovement, {})]
        undone = {(row.metadata or {}).get(undoes) for row in rows}
        for row in rows:
            mine = row.type in UNCHARGEABLE and id_of(row.invoice) == invoice_id
            if mine and row.id not in undone:
                params = {
                    "amount": -row.amount,
                    "currency": row.currency,
                    "metadata": {undoes: row.id, "mlc": self._connection},
                }
                await self._post(path, wire.CustomerMovement, params, invoice_id, "forgive")

    def _is_twin(self, customer: wire.Customer, customer_id: str) -> bool:
        marks = customer.metadata
        return marks.get("erp_customer") == customer_id and marks.get("mlc") == self._connection

    def _is_twin_or_free(self, customer: wire.Customer, customer_id: str) -> bool:
        return "erp_customer" not in customer.metadata or self._is_twin(customer, customer_id)

    def _customer_params(self, customer: ErpCustomer) -> "CustomerUpdateParams":
        """All that is mirrored; an empty text clears a field, as does one that is too long."""
        phone = customer.phone.strip()
        return {
            "name": customer.name[:LONGEST_NAME],
            "email": customer.email if len(customer.email) <= LONGEST_EMAIL else "",
            "phone": phone if len(phone) <= LONGEST_PHONE else "",
            "address": _address(customer.address) if customer.address != Address() else "",
            "metadata": {"erp_customer": customer.customer_id, "mlc": self._connection},
        }


def _not_deleted(_: wire.Customer, now: wire.Customer) -> wire.Customer | None:
    return None if now.deleted else now


def _filled(params: Mapping[str, object]) -> dict[str, object]:
    """Without the empty texts: a new customer has nothing to clear."""
    return {name: value for name, value in params.items() if value != ""}


def _address(address: Address) -> "CustomerUpdateParamsAddress":
    return {
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "state": address.state,
        "postal_code": address.postal_code,
        "country": address.country,
    }
