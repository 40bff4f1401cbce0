"""examples/production is valid, and its parts agree with each other."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from functrace.errors import UsageError
from functrace.watch import config

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "production"
MANIFESTS = sorted((FOLDER / "kubernetes").glob("*.yaml"))


def _documents() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def _pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for each in _documents() if "spec" in each]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what kubernetes-validate imports
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_follow_the_kubernetes_schema(path: Path) -> None:
    validator = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes-validate: it is in the dependency group test"
    )
    version = validator.latest_version()
    documents = list(yaml.safe_load_all(path.read_text()))
    assert documents
    for each in documents:
        validator.validate(each, version, strict=True)
    container = documents[-1]["spec"]["template"]["spec"]["containers"][0]
    container["volumeMount"] = container.pop("volumeMounts")
    with pytest.raises(validator.ValidationError):
        validator.validate(documents[-1], version, strict=True)


def test_pods_mount_only_volumes_that_they_have() -> None:
    assert len(_pods()) == 2
    for pod in _pods():
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in (*pod["initContainers"], *pod["containers"]):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_sidecar_and_program_share_user_and_rings() -> None:
    (pod,) = (pod for pod in _pods() if pod.get("shareProcessNamespace"))
    folders = set()
    for container in (*pod["initContainers"], *pod["containers"]):
        variables = {each["name"]: each.get("value") for each in container["env"]}
        folders.add(variables["FUNCTRACE_RING_DIR"])
        assert {"name": "rings", "mountPath": "/rings"} in container["volumeMounts"]
        assert "runAsUser" not in container.get("securityContext", {})
    assert folders == {"/rings/shop"}


def test_containers_of_compose_share_user_and_rings() -> None:
    found = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    services = found["services"]
    assert set(services) == {"shop", "watch"}
    for service in services.values():
        assert service["user"] == "10001"
        assert service["environment"]["FUNCTRACE_RING_DIR"] == "/rings/shop"
        assert "rings:/rings" in service["volumes"]
        context = (FOLDER / service["build"]["context"]).resolve()
        assert (context / service["build"]["dockerfile"]).is_file()
    named = {each.split(":")[0] for s in services.values() for each in s["volumes"]}
    assert {name for name in named if "/" not in name} == set(found["volumes"])


def test_configurations_are_valid(tmp_path: Path) -> None:
    contents = [(FOLDER / "watch.toml").read_text()]
    contents += [each["data"]["watch.toml"] for each in _documents() if "data" in each]
    assert len(contents) == 3
    for content in contents:
        path = tmp_path / "watch.toml"
        path.write_text(content)
        try:
            config.load(path)
        except UsageError as error:
            pytest.fail(str(error))


def test_unit_is_valid(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    text = (FOLDER / "functrace-watch.service").read_text()
    unit = tmp_path / "functrace-watch.service"
    program = "/opt/functrace/bin/functrace"
    assert program in text
    unit.write_text(text.replace(program, "/bin/true"))  # the verification looks for the program
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []
