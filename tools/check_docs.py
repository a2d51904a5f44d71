"""Checks that each relative link in the manual leads to a file, and each line anchor to a line."""

import re
import sys
from pathlib import Path

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#L(\d+))?[^)]*\)")


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


def main() -> int:
    """Looks through the README and docs/; exit code 1 when a link is broken."""
    root = Path(__file__).parent.parent
    pages = [root / "README.md", *sorted((root / "docs").glob("**/*.md"))]
    found = [sentence for page in pages for sentence in broken(page)]
    print("\n".join(found) or f"{len(pages)} pages, every link leads somewhere")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
