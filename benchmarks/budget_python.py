"""CPU time of Python programs with the default budget: plain, instrumented but off, and in a ring.

The programs run unchanged code of others: a JSON endpoint of Django with its ORM, and Jinja2, which
compiles templates. All functions of these packages are instrumented.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from functrace.tracefile import open_trace  # noqa: E402  by that path
from tests.support.pythons import CannotBuildError, Python, all_pythons  # noqa: E402

_RELEASES = ((3, 11), (3, 13))
_ROUNDS = 7

# Each program prints its CPU time for a unit of work after its first second: the minimum, since
# other load on the machine distorts the mean.
_MEASURE = """
def measure(work):
    now, best = time.process_time, 1e9
    begin = now()
    while now() < begin + 1: work()
    end = now() + 1
    while (begin := now()) < end:
        work()
        best = min(best, now() - begin)
    print(best)
"""

_DJANGO = """
import io, time
from django.conf import settings
settings.configure(
    SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
import django
django.setup()
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, models
from django.http import JsonResponse
from django.urls import path

class Item(models.Model):
    name = models.CharField(max_length=40)
    price = models.IntegerField()
    class Meta: app_label = "shop"

def items(request):
    found = Item.objects.filter(price__gte=20).order_by("price")[:20]
    return JsonResponse({"items": [{"name": item.name, "price": item.price} for item in found]})

urlpatterns = [path("items", items)]
with connection.schema_editor() as editor: editor.create_model(Item)
Item.objects.bulk_create(Item(name=f"item {n}", price=n) for n in range(100))
handler = WSGIHandler()

def request():
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/items", "SERVER_NAME": "shop", "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
    }
    response = handler(environ, lambda status, headers: None)
    b"".join(response)
    response.close()
"""

_JINJA2 = """
import time
from jinja2 import Environment

environment = Environment()
source = '''
{% macro row(item) %}<tr><td>{{ item.name|upper }}</td><td>{{ item.price }}</td></tr>{% endmacro %}
{% for item in items if item.price > 10 %}
{{ row(item) }}{% if loop.last %}{{ loop.index }}{% endif %}
{% else %}<p>{{ "nothing"|title }} {{ total // 3 + 4 * (total - 1) }}</p>{% endfor %}''' * 5

def request(): environment.compile(source)
"""

# Name, packages, program.
_PROGRAMS = (
    ("Django, a JSON request", ("django", "asgiref", "sqlparse"), _DJANGO),
    ("Jinja2, compiles a template", ("jinja2",), _JINJA2),
)


def budget_python() -> None:
    """Print the CPU time of each program in each mode, and what was demoted."""
    for python in all_pythons():
        if python.release in _RELEASES:
            with tempfile.TemporaryDirectory() as folder:
                _compare(python, Path(folder))


def _compare(python: Python, folder: Path) -> None:
    print(f"{python.name} with the default budget of a ring: microseconds of CPU time")
    try:
        runtime = python.path(native=True)
    except CannotBuildError as error:
        print(f"  skipped, {error}")
        return
    packages = folder / "packages"
    pip = [python.executable, "-m", "pip", "install", "-q", "-t", str(packages)]
    if subprocess.run([*pip, "django", "jinja2"], capture_output=True, check=False).returncode:
        print("  skipped, Django and Jinja2 cannot be installed")
        return
    for title, names, program in _PROGRAMS:
        instrumented = _inject(packages, names, folder)
        path = os.pathsep.join(map(str, (instrumented, packages, runtime)))
        file = folder / "program.py"
        file.write_text(program + _MEASURE + "\nmeasure(request)\n")
        modes = {
            "plain": {"PYTHONPATH": str(packages)},
            "instrumented, off": {"PYTHONPATH": path, "FUNCTRACE": "off"},
            "ring": {"PYTHONPATH": path, "FUNCTRACE": "ring"},
            "ring without a budget": {
                "PYTHONPATH": path, "FUNCTRACE": "ring", "FUNCTRACE_BUDGET": "off",
            },
        }  # fmt: skip
        _print_rows(title, python, file, modes, folder / "rings")


def _inject(packages: Path, names: tuple[str, ...], folder: Path) -> Path:
    """Return a folder with instrumented copies of packages."""
    out = folder / "-".join(names)
    sources = [str(packages / name) for name in names]
    command = [sys.executable, "-m", "functrace", "inject", "-q", "--language", "python"]
    for name, source in zip(names, sources, strict=True):
        run = [*command, "--out", str(out / name), source]
        subprocess.run(run, cwd=_ROOT, check=False, capture_output=True)
    return out


def _print_rows(
    title: str, python: Python, program: Path, modes: dict[str, dict[str, str]], rings: Path
) -> None:
    times: dict[str, list[float]] = {mode: [] for mode in modes}
    for seed in range(_ROUNDS):
        for mode, variables in modes.items():
            times[mode].append(_time_of_unit(python, program, rings, seed, variables))
    print(f"  {title}")
    for mode, found in times.items():
        speeds = [plain / time for plain, time in zip(times["plain"], found, strict=True)]
        print(
            f"    {mode:32} {median(found):9.0f}   {median(speeds):.3f} of plain"
            f" ({min(speeds):.3f} to {max(speeds):.3f})"
        )
    _print_demoted(rings)


def _time_of_unit(
    python: Python, program: Path, rings: Path, seed: int, variables: dict[str, str]
) -> float:
    """Return the microseconds of a unit of work. All modes have the same seed of hashes."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
    own = {"FUNCTRACE_RING_DIR": str(rings), "PYTHONHASHSEED": str(seed)}
    run = subprocess.run(
        [python.executable, program],
        env=kept | own | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout) * 1e6


def _print_demoted(rings: Path) -> None:
    """Print how many functions were demoted in the latest ring that has a budget."""
    for path in sorted(rings.glob("*.ftrace"), key=lambda p: p.stat().st_mtime, reverse=True):
        trace = open_trace(path)
        names = sorted({demotion.function for demotion in trace.demotions})
        if names:
            first = ", ".join(names[:5])
            print(f"    demoted: {len(names)} of {len(trace.functions)} functions, such as {first}")
            return
    print("    nothing was demoted")


if __name__ == "__main__":
    budget_python()
