"""Users of a tenant and the forms that their roles let them open."""

from dataclasses import dataclass, field

from ml_sandbox.acumatica.errors import Problem

ADMIN, ADMIN_PASSWORD = "admin", "123"


@dataclass
class User:
    """One user; `denied` holds screen IDs (AR302000) that no role of theirs opens."""

    name: str
    password: str
    denied: frozenset[str] = frozenset()


@dataclass
class Users:
    """All users of the tenant, by name in any case."""

    _by_name: dict[str, User] = field(default_factory=dict[str, User])

    def __post_init__(self) -> None:
        """A fresh tenant has its administrator."""
        self.put(User(ADMIN, ADMIN_PASSWORD))

    def put(self, user: User) -> None:
        """Adds a user, or replaces the one of that name."""
        self._by_name[user.name.lower()] = user

    def get(self, name: str) -> User | None:
        """The user of that name."""
        return self._by_name.get(name.lower())

    def signed_in(self, name: object, password: object) -> User | None:
        """The user when name and password are right."""
        found = self.get(str(name or ""))
        return found if found is not None and found.password == password else None

    def describe(self) -> list[dict[str, object]]:
        """Names and denied forms, for showing."""
        return [
            {"name": each.name, "denied": sorted(each.denied)} for each in self._by_name.values()
        ]

    def check(self, name: str, screen: str) -> None:
        """Raises the 403 of a form that the user may not open."""
        user = self.get(name)
        if user is None or screen in user.denied:
            raise Problem(
                403,
                f"You have insufficient rights to access the {screen} form.",
                "PX.Data.PXNotEnoughRightsException",
            )
