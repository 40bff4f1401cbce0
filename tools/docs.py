"""Builder of the documentation site: the pages of docs/, and README.md as its front page.

    python tools/docs.py    build it in build/site and check every link in it

Zensical builds the pages in strict mode. Links between Markdown files are written for GitHub; those
that leave docs/ are rewritten first. Afterwards every link of the built pages must lead to a file
and an anchor of the site.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "build" / "docs"
SITE = ROOT / "build" / "site"
SOURCE = "https://github.com/functrace-cli/functrace"
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
}
"""pages of the repository's top folder, and their names in the site"""


def stage() -> None:
    """Write all pages to build/docs with links that the site has."""
    shutil.rmtree(STAGE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", STAGE)
    for name, staged in PAGES.items():
        (STAGE / staged).write_text(rewrite_links((ROOT / name).read_text(), ROOT))
    for page in (ROOT / "docs").rglob("*.md"):
        staged_page = STAGE / page.relative_to(ROOT / "docs")
        staged_page.write_text(rewrite_links(page.read_text(), page.parent))


def rewrite_links(text: str, folder: Path) -> str:
    """Return a Markdown page with relative links as the site needs them.

    Args:
        text: the page.
        folder: the folder of the repository that contains it.
    """
    parts = re.split(r"(^```.*?^```)", text, flags=re.DOTALL | re.MULTILINE)
    pattern = r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)"
    parts[::2] = [
        re.sub(pattern, lambda found: _target(folder, found[1]), part) for part in parts[::2]
    ]
    return "".join(parts)


def _target(folder: Path, link: str) -> str:
    path = Path(os.path.normpath(folder / link))
    name = path.relative_to(ROOT).as_posix()
    if name in PAGES:
        name = f"docs/{PAGES[name]}"
    elif not name.startswith("docs/"):
        return f"{SOURCE}/{'tree' if path.is_dir() else 'blob'}/main/{name}"
    # A page of the top folder is staged beside those of docs/.
    origin = (folder.relative_to(ROOT) if folder != ROOT else Path("docs")).as_posix()
    return os.path.relpath(name, origin)


class _Page(HTMLParser):
    """Links and anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value and tag != "base":
                self.links.add(value)


def broken_links(site: Path) -> list[str]:
    """Return the links of a built site that lead to no file or no anchor of it, one line each."""
    pages = {path: _Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # its links are absolute: it is shown for any address
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = Path(os.path.normpath(path.parent / unquote(parts.path)))
            if target.is_dir():
                target /= "index.html"
            anchor = unquote(parts.fragment)
            if not target.exists():
                found.append(f"{path.relative_to(site)}: {link} leads to no file")
            elif anchor and target in pages and anchor not in pages[target].anchors:
                found.append(f"{path.relative_to(site)}: {link} leads to no anchor")
    return found


def main() -> int:
    """Build and check the site; return the exit status."""
    stage()
    shutil.rmtree(SITE, ignore_errors=True)
    zensical = Path(sys.executable).with_name("zensical")
    words = [zensical, "build", "--strict", "--clean"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
        return 1
    found = broken_links(SITE)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"docs: {len(list(SITE.rglob('index.html')))} pages in {SITE.relative_to(ROOT)}/")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
