"""Reads the installed official Stripe package and writes the sandbox's machine-readable contract.

Run by hand after a change of the pinned package: `python tools/stripe_contract.py`.
Output: src/ml_sandbox/stripe/contract/params.json (accepted parameters per route) and
objects.json (fields per object). Only syntax trees are read; nothing of the package is executed.
"""

import ast
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SERVICES = """account balance balance_settings balance_transaction charge coupon credit_note
credit_note_line_item credit_note_preview_lines customer customer_balance_transaction
customer_cash_balance customer_cash_balance_transaction customer_payment_method customer_tax_id
dispute event invoice invoice_line_item invoice_item invoice_payment payment_intent payment_method
payment_record payout price product promotion_code refund shipping_rate tax_rate topup
webhook_endpoint radar/early_fraud_warning test_helpers/customer test_helpers/refund
test_helpers/test_clock v2/core/event v2/core/event_destination""".split()
RESOURCES = """account balance balance_settings balance_transaction bank_account card cash_balance
charge coupon credit_note credit_note_line_item customer customer_balance_transaction
customer_cash_balance_transaction discount dispute event invoice invoice_line_item invoice_item
invoice_payment payment_intent payment_method payment_record payout price product promotion_code
refund shipping_rate source tax_id tax_rate topup webhook_endpoint radar/early_fraud_warning
reserve/hold reserve/release test_helpers/test_clock v2/core/event
v2/core/event_destination""".split()
SCALARS = {"int": "int", "str": "str", "bool": "bool", "float": "number", "Decimal": "decimal"}
NESTED_DEPTH = 2
OUT = Path(__file__).parent.parent / "src/ml_sandbox/stripe/contract"


def package() -> Path:
    """Where the official package is installed."""
    spec = find_spec("stripe")
    if spec is None or spec.origin is None:
        raise SystemExit("the official stripe package is not installed")
    return Path(spec.origin).parent


def module_of(root: Path, name: str, suffix: str = "") -> ast.Module:
    """The syntax tree of one module of the package."""
    folder, _, leaf = name.rpartition("/")
    return ast.parse((root / folder / f"_{leaf}{suffix}.py").read_text())


def annotation(node: ast.expr) -> ast.expr:
    """A type annotation with its string quoting taken off."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value, mode="eval").body
    return node


def members(node: ast.expr) -> list[ast.expr]:
    """The alternatives of a union, flattened."""
    node = annotation(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return members(node.left) + members(node.right)
    if isinstance(node, ast.Subscript) and head(node) == "Union":
        elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return [one for element in elements for one in members(element)]
    return [node]


def head(node: ast.expr) -> str:
    """The name in front of the brackets of a type."""
    if isinstance(node, ast.Subscript):
        return head(node.value)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def literals(node: ast.Subscript) -> list[Any]:
    """The values of a Literal[...]."""
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return [element.value for element in inner if isinstance(element, ast.Constant)]


class Parameters:
    """Turns one parameter TypedDict and what it refers to into a nested description."""

    def __init__(self, tree: ast.Module) -> None:
        self.classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
        self.aliases = {
            n.targets[0].id: n.value
            for n in tree.body
            if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
        }

    def fields_of(self, name: str) -> dict[str, Any]:
        """The object description of one TypedDict: its fields and which must be given."""
        fields, required = {}, []
        for key, kind in self.declared(name):
            needed = head(annotation(kind)) != "NotRequired"
            inner = kind if needed else annotation(kind).slice
            fields[key] = self.kind(inner)
            required += [key] if needed else []
        return {"object": fields, "required": required} if required else {"object": fields}

    def declared(self, name: str) -> list[tuple[str, ast.expr]]:
        """Field names and annotations, from the class form or the functional form."""
        if name in self.classes:
            body = self.classes[name].body
            rows = [
                (n.target.id, n.annotation)
                for n in body
                if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
            ]
            bases = [head(b) for b in self.classes[name].bases]
            for base in (b for b in bases if b in self.classes or b in self.aliases):
                rows = self.declared(base) + rows
            return rows
        call = self.aliases[name]
        pairs = call.args[1]
        return [(k.value, v) for k, v in zip(pairs.keys, pairs.values, strict=True)]

    def kind(self, node: ast.expr) -> Any:
        """One type as JSON: a word, {"enum"}, {"list"}, {"map"}, {"object"} or alternatives."""
        choices: list[Any] = []
        for member in members(node):
            one = self.single(member)
            if one not in choices:
                choices.append(one)
        closed = any(isinstance(c, dict) and c.get("enum", [""]) != [""] for c in choices)
        if closed and "str" in choices:
            choices.remove("str")  # the package leaves enums open, the service does not
        return choices[0] if len(choices) == 1 else choices

    def single(self, node: ast.expr) -> Any:
        """One alternative of a union."""
        name = head(node)
        if name in SCALARS:
            return SCALARS[name]
        if name == "Literal" and isinstance(node, ast.Subscript):
            return {"enum": literals(node)}
        if name == "List" and isinstance(node, ast.Subscript):
            return {"list": self.kind(node.slice)}
        if name in {"Dict", "UntypedStripeObject"} and isinstance(node, ast.Subscript):
            inner = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice
            return {"map": self.kind(inner)}
        if name in self.classes or name in self.aliases:
            return self.fields_of(name)
        return "any"


def snake(name: str) -> str:
    """InvoiceAddLinesParams -> invoice_add_lines_params."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def first_call(function: ast.FunctionDef) -> ast.Call | None:
    """The request made by a service method."""
    for node in ast.walk(function):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_call and node.func.attr == "_request":
            return node
    return None


def template(node: ast.expr) -> str:
    """The path template of a request."""
    if isinstance(node, ast.Call):
        node = node.func.value
    return str(node.value)


def returned(function: ast.FunctionDef, objects: dict[str, str]) -> list[str]:
    """How a route answers: ["one"|"list"|"search", object name]."""
    if function.returns is None:
        raise SystemExit(f"{function.name} has no return type")
    node = annotation(function.returns)
    shape = {"ListObject": "list", "SearchResultObject": "search"}.get(head(node), "one")
    inner = node.slice if shape != "one" and isinstance(node, ast.Subscript) else node
    return [shape, objects.get(head(inner), "")]


def params_folder(root: Path, service: str) -> Path:
    """Where the parameter types of a service live."""
    folder, _, _ = service.rpartition("/")
    return root / "params" / folder


def routes(root: Path, first: dict[str, str], second: dict[str, str]) -> dict[str, Any]:
    """Every method of the chosen services: "GET /v1/x" -> parameters and answer."""
    found: dict[str, Any] = {}
    for service in SERVICES:
        objects = second if service.startswith("v2/") else first
        for owner in module_of(root, service, "_service").body:
            for method in owner.body if isinstance(owner, ast.ClassDef) else []:
                call = first_call(method) if isinstance(method, ast.FunctionDef) else None
                if call is None:
                    continue
                verb = str(call.args[0].value).upper()
                found[f"{verb} {template(call.args[1])}"] = {
                    "params": described(root, service, method),
                    "returns": returned(method, objects),
                }
    return found


def described(root: Path, service: str, method: ast.FunctionDef) -> dict[str, Any]:
    """The parameters of one service method."""
    for argument in method.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            name = re.findall(r"\w+Params", ast.unparse(argument.annotation))[0]
            path = params_folder(root, service) / f"_{snake(name)}.py"
            return Parameters(ast.parse(path.read_text())).fields_of(name)["object"] | {
                "": Parameters(ast.parse(path.read_text())).fields_of(name).get("required", [])
            }
    return {"": []}


class Fields:
    """Turns one resource class into a description of its wire fields."""

    def __init__(self, tree: ast.Module, objects: dict[str, str]) -> None:
        self.objects = objects
        self.owner = next(
            n for n in tree.body if isinstance(n, ast.ClassDef) and object_name(n) is not None
        )

    def described(self) -> dict[str, Any]:
        """Field name -> description, for the whole resource."""
        return self.of(self.owner, [self.owner], NESTED_DEPTH)

    def of(self, owner: ast.ClassDef, scopes: list[ast.ClassDef], depth: int) -> dict[str, Any]:
        """Field name -> description, for one class inside the scopes around it."""
        return {
            n.target.id.rstrip("_"): self.field(n.annotation, [*scopes, owner], depth)
            for n in owner.body
            if isinstance(n, ast.AnnAssign)
            and isinstance(n.target, ast.Name)
            and n.target.id not in {"OBJECT_NAME", "_inner_class_types"}
        }

    def field(self, node: ast.expr, scopes: list[ast.ClassDef], depth: int) -> Any:
        """One field: "value", "value?" or a description with link, list, array or of."""
        node = annotation(node)
        nullable = head(node) == "Optional"
        inner = annotation(node.slice) if nullable and isinstance(node, ast.Subscript) else node
        array = head(inner) == "List"
        inner = annotation(inner.slice) if array and isinstance(inner, ast.Subscript) else inner
        about = self.about(inner, scopes, depth)
        if array:
            about["array"] = True
        if not about:
            return "value?" if nullable else "value"
        return about | ({"null": True} if nullable else {})

    def about(self, node: ast.expr, scopes: list[ast.ClassDef], depth: int) -> dict[str, Any]:
        """What is special about a field's type."""
        name = head(node)
        if name == "ExpandableField" and isinstance(node, ast.Subscript):
            kinds = [self.objects.get(head(m), snake(head(m))) for m in members(node.slice)]
            return {"link": kinds}
        if name == "ListObject" and isinstance(node, ast.Subscript):
            return {"list": self.objects.get(head(annotation(node.slice)), "")}
        nested = {n.name: n for s in scopes for n in s.body if isinstance(n, ast.ClassDef)}.get(
            name
        )
        if nested is None and name in self.objects:
            return {"embeds": self.objects[name]}
        if nested is None or depth == 0:
            return {}
        return {"of": self.of(nested, scopes, depth - 1)}


def object_name(owner: ast.ClassDef) -> str | None:
    """The wire name of a resource class."""
    for n in owner.body:
        is_name = isinstance(n, ast.AnnAssign) and getattr(n.target, "id", "") == "OBJECT_NAME"
        if is_name and isinstance(n.value, ast.Constant):
            return str(n.value.value)
    return None


def one_per_line(rows: dict[str, Any]) -> str:
    """JSON with one compact row a line, so that a change of the package reads well in a diff."""
    body = ",\n".join(
        f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in sorted(rows.items())
    )
    return "{\n" + body + "\n}\n"


def named(trees: dict[str, ast.Module], prefix: str) -> dict[str, str]:
    """Class name -> wire name, of the first or of the second generation."""
    return {
        n.name: object_name(n) or ""
        for tree in trees.values()
        for n in tree.body
        if isinstance(n, ast.ClassDef)
        and object_name(n) is not None
        and (object_name(n) or "").startswith("v2.") == bool(prefix)
    }


def main() -> None:
    """Writes both files."""
    root = package()
    trees = {name: module_of(root, name) for name in RESOURCES}
    objects = named(trees, "")
    owners = [Fields(tree, objects) for tree in trees.values()]
    fields = {object_name(f.owner) or "": f.described() for f in owners}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "objects.json").write_text(one_per_line(fields))
    v2 = objects | named(trees, "v2.")
    (OUT / "params.json").write_text(one_per_line(routes(root, objects, v2)))


if __name__ == "__main__":
    main()
