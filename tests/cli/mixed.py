"""A tree with sources in both languages, for tests."""

from __future__ import annotations

from pathlib import Path

STORE = '''"""What there is."""

from __future__ import annotations


class Store:
    def get(self, item):
        return self._find(item)

    def _find(self, item):
        return [item] * 2


key = lambda item: item
'''
TRACED = '''"""What there is."""

from __future__ import annotations
import functrace as _functrace_


class Store:
    @_functrace_.trace
    def get(self, item):
        return self._find(item)

    @_functrace_.trace
    def _find(self, item):
        return [item] * 2


key = lambda item: item
'''
FILES = {
    "shop/__init__.py": "",
    "shop/store.py": STORE,
    "shop/_hidden/work.pyw": "async def work():\n    return 1\n",
    "app.py": "#!/usr/bin/env python3\nfrom shop.store import Store\n\n\n"
    "def main():\n    print(Store().get(1))\n\n\nmain()\n",
    "tool": "#!/usr/bin/env python3\ndef tool():\n    return 1\n",
    "shop/stub.pyi": "def f(): return 1\n",
    # Left alone.
    ".hidden/x.py": "def x(): return 1\n",
    "env/pyvenv.cfg": "home = /usr\n",
    "env/lib/python3.11/site-packages/lib.py": "def lib(): return 1\n",
    "node_modules/x.py": "def x(): return 1\n",
    "testdata/x.py": "def x(): return 1\n",
    "_old/old.go": "package old\n\nfunc Old() {\n}\n",
    "__pycache__/x.py": "def x(): return 1\n",
}
GO = {
    "go.mod": "module example.com/shop\n\ngo 1.21\n",
    "main.go": "package main\n\nfunc main() {\n\tprintln(1)\n}\n",
}


def make(root: Path, files: dict[str, str]) -> Path:
    """Write the files below ``root``, which may not be there yet."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
