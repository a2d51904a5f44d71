"""Who the firm works for: names, places and habits that a plan draws from."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Place:
    """A city with the streets used there, and the tax zone its clients belong to."""

    country: str
    city: str
    state: str
    postal_code: str
    streets: tuple[str, ...]
    zone: str | None


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the firm as the clerk enters it; `key` is its place in the plan."""

    key: int
    name: str
    attention: str
    email: str
    currency: str
    terms: str
    place: Place
    street: str


ABROAD = (
    Place(
        "US", "New York", "NY", "10018", ("W 38th Street", "Fashion Avenue", "Broadway"), "NYSTATE"
    ),
    Place("US", "Albany", "NY", "12207", ("State Street", "North Pearl Street"), "NYSTATE"),
    Place("US", "Austin", "TX", "78701", ("Congress Avenue", "Brazos Street"), None),
    Place("US", "Coeur d’Alene", "ID", "83814", ("Sherman Avenue", "Lakeside Avenue"), None),  # noqa: RUF001 - as it is written there
    Place("CA", "Montréal", "QC", "H2Y 1C6", ("rue Saint-Paul Ouest", "rue Notre-Dame"), "CANADA"),
    Place("DE", "Köln", "", "50667", ("Hohe Straße", "Große Neugasse"), "GERMANY"),
    Place("GB", "London", "", "EC1V 2NX", ("City Road", "Old Street"), None),
    Place("PL", "Łódź", "", "90-001", ("ulica Piotrkowska", "aleja Kościuszki"), None),
    Place("IS", "Reykjavík", "", "101", ("Laugavegur", "Skólavörðustígur"), None),
)
JAPAN = (
    Place("JP", "千代田区", "", "100-0005", ("丸の内二丁目", "大手町一丁目"), "JAPAN"),
    Place("JP", "大阪市", "", "530-0001", ("梅田三丁目", "曽根崎新地"), "JAPAN"),
    Place("JP", "Kyōto", "", "604-8006", ("Kawaramachi-dōri", "Sanjō-dōri"), "JAPAN"),
)
_FAMILIES = (
    "Abernathy Brontë Castañeda Dvořák Eriksen Fitzgerald Günther Håkansson Ibarra Jørgensen "
    "Kowalczyk Lefèvre Müller Núñez O’Brien Petrović Quispe Rasmussen Sørensen Tšernov Ünal "  # noqa: RUF001 - as it is written there
    "Villeneuve Weiß Xu Yılmaz Žižek"  # noqa: RUF001 - as it is written there
).split()
_TRADES = (
    "Architects", "& Sons Ltd", "Legal LLP", "Engineering Inc.", "Geodesy", "Clinic", "Robotics AB",
    "Editions", "Shipping & Logistics", "Brewery",
)  # fmt: skip
_JAPANESE = "さくら 青葉 ひかり みらい 大和 富士 若松 たちばな 北斗 清水".split()
_JAPANESE_TRADES = ("設計株式会社", "法務事務所", "製作所", "商事株式会社", "出版")
_PERSONS = (
    "Zoë Ångström", "Marta Wiśniewska", "José Luis Peña", "Aoife Ní Bhriain", "Thandiwe Nkosi",
    "René Descôteaux", "Nguyễn Thị Lan", "Sam O’Neill",  # noqa: RUF001 - as it is written there
)  # fmt: skip
_JAPANESE_PERSONS = ("山田 太郎", "佐藤 花子", "Suzuki Kenji", "高橋 美咲")
_TERMS = ("30D", "30D", "NET30", "NET15", "COD")


def draw_client(chance: Random, key: int, currency: str) -> Client:
    """A client billed in a currency; JPY clients live in Japan. No two keys share a name."""
    japanese = currency == "JPY"
    place = chance.choice(JAPAN if japanese else ABROAD)
    return Client(
        key=key,
        name=_name(chance, key, japanese=japanese),
        attention=chance.choice(_JAPANESE_PERSONS if japanese else _PERSONS),
        email=f"accounts.payable+{key:03d}@client{key:03d}.example",
        currency=currency,
        terms=chance.choice(_TERMS),
        place=place,
        street=f"{chance.randint(1, 240)} {chance.choice(place.streets)}",
    )


def _name(chance: Random, key: int, *, japanese: bool) -> str:
    """A name made of a family and a trade; the family and round follow the key."""
    families, trades = (_JAPANESE, _JAPANESE_TRADES) if japanese else (_FAMILIES, _TRADES)
    turn, family = divmod(key, len(families))
    name = families[family] + ("" if japanese else " ") + chance.choice(trades)
    return f"{name} {turn + 1}" if turn else name
