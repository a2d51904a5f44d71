"""The sandbox's mapping with other policies and accounts, as a person would edit the file."""

from ml_connector.cli.setup import SANDBOX_MAPPING


def mapping_with(more: str = "", *, accounts: dict[str, str] | None = None, **chosen: str) -> str:
    """The mapping's text; policies are TOML literals (`'"hold"'` or `"false"`)."""
    text = SANDBOX_MAPPING.read_text("utf-8")
    for role, account in (accounts or {}).items():
        text = text.replace("[accounts]\n", f'[accounts]\n{role} = "{account}"\n')
    said = "".join(f"{name} = {value}\n" for name, value in chosen.items())
    return f"{text}\n[policies]\n{said}\n{more}"
