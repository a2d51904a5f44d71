"""Checks the manual against the code: links, functions named after a link, and the facts."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#L(\d+))?[^)]*\)")
NAMED = re.compile(r"\]\(([^)#\s]+\.py)\)((?:,?\s+(?:and\s+)?`\w+`)+)")
FACT = re.compile(r"\bfacts? ([SA]\d+(?:\.\d+)?)(?: and ([SA]\d+(?:\.\d+)?))?")
LISTED = re.compile(r"^\| ([SA]\d+(?:\.\d+)?) \|", re.MULTILINE)


def broken(page: Path) -> list[str]:
    """The links of one page that lead nowhere, a sentence each."""
    found: list[str] = []
    for target, line in LINK.findall(page.read_text("utf-8")):
        path = (page.parent / target).resolve()
        if not path.exists():
            found.append(f"{page}: {target} does not exist")
        elif line and int(line) > len(path.read_text("utf-8").splitlines()):
            found.append(f"{page}: {target} has no line {line}")
    return found


def moved(page: Path) -> list[str]:
    """The functions that one page names after a link and that are not in that file."""
    found: list[str] = []
    for target, names in NAMED.findall(page.read_text("utf-8")):
        path = (page.parent / target).resolve()
        code = path.read_text("utf-8") if path.exists() else ""
        missing = (name for name in re.findall(r"`(\w+)`", names) if not _defines(code, name))
        found += [f"{page}: {target} has no {name}" for name in missing]
    return found


def _defines(code: str, name: str) -> bool:
    pattern = rf"^\s*(?:(?:async )?def|class) {name}\b|^{name}\b"
    return re.search(pattern, code, re.MULTILINE) is not None


def unlisted(page: Path) -> list[str]:
    """The facts that the code rests on and that the page of facts does not list."""
    listed = set(LISTED.findall(page.read_text("utf-8")))
    found: list[str] = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for named in FACT.findall(path.read_text("utf-8")):
            found += [
                f"{path}: fact {one} is not listed" for one in named if one and one not in listed
            ]
    return found


def main() -> int:
    """Looks through the README and docs/; exit code 1 when something is wrong."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
    found = [sentence for page in pages for sentence in (*broken(page), *moved(page))]
    found += unlisted(ROOT / "docs" / "facts.md")
    print("\n".join(found) or f"{len(pages)} pages: every link, function and fact is there")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
