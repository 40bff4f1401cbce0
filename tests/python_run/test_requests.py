"""Requests of an unchanged program under ``functrace run``."""

from __future__ import annotations

import json

from tests.python_run.conftest import COMMAND, Project

_PROGRAM = """
import threading
import flask
import requests
from concurrent.futures import ThreadPoolExecutor
from werkzeug.serving import make_server

app = flask.Flask(__name__)
pool = ThreadPoolExecutor(2)


@app.route("/pay/<int:order>")
def pay(order):
    return pool.submit(notify, order).result()


def notify(order):
    return requests.get(f"http://127.0.0.1:{server.server_port}/notify").text


@app.route("/notify")
def send():
    return find()


def find():
    raise KeyError("no such customer")


def main():
    threading.Thread(target=server.serve_forever).start()
    print(requests.get(f"http://127.0.0.1:{server.server_port}/pay/7").status_code)
    server.shutdown()


server = make_server("127.0.0.1", 0, app, threaded=True)
main()
"""


def test_chains_lead_through_requests(project: Project) -> None:
    project.write({"shop.py": _PROGRAM})
    done = project.run(
        "shop.py", FUNCTRACE="record", FUNCTRACE_OUT="x.ftrace", FUNCTRACE_PROPAGATE="forward"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "200\n"
    command = [COMMAND, "callers", "--errors", "--json", "find", "x.ftrace"]
    found = project.execute(command)
    (chain,) = json.loads(found.stdout)["chains"]
    names = [step["function"] for step in chain["steps"]]
    assert names == [
        "__main__.main",
        "GET 127.0.0.1/pay/{id}",
        "GET /pay/{id}",
        "__main__.pay",
        "__main__.notify",
        "GET 127.0.0.1/notify",
        "GET /notify",
        "__main__.send",
        "__main__.find",
    ]


def test_off_by_default_in_text(project: Project) -> None:
    project.write({"shop.py": _PROGRAM})
    done = project.run("shop.py")
    assert done.returncode == 0, done.stderr
    assert "->GET" not in done.stdout
    assert "->__main__.find" in done.stdout
