"""The Kubernetes manifest and the files beside it fit together: what it mounts is there, and ports and addresses agree."""

import pathlib
import re

import pytest

yaml = pytest.importorskip("yaml")
FOLDER = pathlib.Path(__file__).parents[2] / "export" / "serving"


@pytest.fixture(scope="module")
def parts():
    """The objects of the manifest by kind."""
    return {part["kind"]: part for part in yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())}


def test_what_is_mounted_is_there(parts):
    made = set(re.findall(r"--from-file=(\S+)", (FOLDER / "kubernetes.yaml").read_text()))
    pod = parts["Deployment"]["spec"]["template"]["spec"]
    asked = {word for container in pod["containers"] for word in [*container["command"], *container.get("args", ())]}
    configs = {word.rpartition("/config/")[2] for word in asked if "/config/" in word} | {"nginx.conf"}
    assert configs == {name for name in made if (FOLDER / name).exists()}
    secrets = set(re.findall(r"/secrets/([\w.]+)", (FOLDER / "nginx.conf").read_text()))
    assert secrets == {"tls.crt", "tls.key", "token.map"} == made - configs
    mounts = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["volumes"]}


def test_only_the_encrypted_ports_are_open(parts):
    containers = {each["name"]: each for each in parts["Deployment"]["spec"]["template"]["spec"]["containers"]}
    ports = {name: {port["name"]: port["containerPort"] for port in each["ports"]} for name, each in containers.items()}
    text = (FOLDER / "nginx.conf").read_text()
    assert set(map(int, re.findall(r"listen (\d+) ssl", text))) == set(ports["proxy"].values())
    assert set(map(int, re.findall(r"127\.0\.0\.1:(\d+)", text))) == set(ports["serving"].values())
    assert not re.search(r"listen (?!\d+ ssl)", text)
    open_ports = {port["port"] for port in parts["NetworkPolicy"]["spec"]["ingress"][0]["ports"]}
    assert open_ports == {port["targetPort"] for port in parts["Service"]["spec"]["ports"]} == set(ports["proxy"])
    assert parts["NetworkPolicy"]["spec"]["podSelector"] == parts["Deployment"]["spec"]["selector"]
    annotations = parts["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) == ports["proxy"]["https"]
