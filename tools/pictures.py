"""Generator of docs/pictures.

Flame graph, call graph and speedscope are of the HTTP example, the services those of the mesh, the
pages of the viewer of both and of the orders.

    python tools/pictures.py

It requires Go on PATH, graphviz, Chromium, and npm (for speedscope). Figures vary between runs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import page_pictures
import speedscope

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Key 2 selects the view that merges calls of the same chain.
_LEFT_HEAVY = b"""<script>
setTimeout(() => dispatchEvent(new KeyboardEvent("keypress", { key: "2" })), 3000);
</script></body>"""


def main() -> None:
    """Record the example under load, and make every picture of it."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        trace = record(work)
        export(trace, "flamegraph", PICTURES / "flamegraph.svg", "--by", "calls")
        export(trace, "svg", PICTURES / "callgraph.svg")
        page = speedscope.download(work)
        export(trace, "speedscope", page / "shop.json")
        index = page / "index.html"
        index.write_bytes(index.read_bytes().replace(b"</body>", _LEFT_HEAVY))
        take_screenshot(page, PICTURES / "speedscope.png")
        draw_services(work / "mesh", PICTURES / "services.svg")
        page_pictures.take(trace, record_orders(work), work / "mesh" / "traces", PICTURES)


def record(work: Path) -> Path:
    """Record the example for a while; -trimpath keeps local folders out of the trace."""
    shop, trace = work / "shop", work / "shop.ftrace"
    build = ["go", "build", "-trimpath", "-o", str(shop), "."]
    functrace(*build, cwd=ROOT / "examples" / "http")
    recording = ["record", "-q", "-o", str(trace), "--", "timeout", "-s", "KILL", "1.5", str(shop)]
    functrace(*recording, "load", cwd=work, check=False)
    return trace


def record_orders(work: Path) -> Path:
    """Record the orders for a while, in a copy: the page of sources names the folder."""
    folder = Path(shutil.copytree(ROOT / "examples" / "orders", work / "orders"))
    command = ["timeout", "-s", "KILL", "4", sys.executable, "-m", "functrace", "run", "-q"]
    command += ["--record", "-o", "orders.ftrace", "app.py", "load"]
    subprocess.run(command, cwd=folder, check=False)
    return folder / "orders.ftrace"


def export(trace: Path, to: str, out: Path, *options: str) -> None:
    """Write the trace in a format."""
    functrace("export", str(trace), "--to", to, "-o", str(out), *options, cwd=ROOT)


def draw_services(work: Path, out: Path) -> None:
    """Run the mesh without Envoy, and draw its services."""
    mesh = ["make", "-C", str(ROOT / "examples" / "mesh"), f"ARGUMENTS=--no-envoy --out={work}"]
    subprocess.run(mesh, check=True)
    functrace("services", "--to", "svg", "-o", str(out), str(work / "traces"), cwd=ROOT)


def functrace(*arguments: str, cwd: Path, check: bool = True) -> None:
    """Run functrace."""
    subprocess.run([sys.executable, "-m", "functrace", *arguments], cwd=cwd, check=check)


def take_screenshot(page: Path, out: Path) -> None:
    """Take a screenshot of the page with the profile open."""
    browser = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if browser is None:
        sys.exit("Chromium not found; install it to take the screenshot")
    with speedscope.serve(page, "shop.json") as url:
        command = [
            *(browser, "--headless", "--no-sandbox", "--hide-scrollbars"),
            *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
            "--run-all-compositor-stages-before-draw",
            *("--window-size=1200,300", "--virtual-time-budget=20000"),
            *(f"--screenshot={out}", url),
        ]
        subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
