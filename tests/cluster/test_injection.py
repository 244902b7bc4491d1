"""The pod patch before the real API server: what it would have accepted it accepts patched, too."""

import json
import re
from pathlib import Path

import pytest

CASES = Path(__file__).resolve().parents[1] / "golden" / "inject"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
ACCEPTED = re.compile(r"^pod/(\S+) created", re.MULTILINE)


def cases() -> dict[str, tuple[dict, dict]]:
    """For each golden case that is patched: the pod before and after."""
    found = {}
    for folder in sorted(CASES.iterdir()):
        before = json.loads((folder / "pod.json").read_text())
        result = json.loads((folder / "result.json").read_text())
        if result.get("pod", before) != before:
            found[folder.name] = (before, result["pod"])
    return found


def named(pod: dict, name: str, namespace: str) -> dict:
    metadata = {**pod["metadata"], "name": name, "namespace": namespace}
    metadata.pop("generateName", None)
    return {**pod, "metadata": metadata}


def accepted(kubectl, namespace: str, pods: dict[str, dict]) -> tuple[set[str], str]:
    """The names of the pods that the API server would take, and what it says of the others."""
    items = [named(pod, name, namespace) for name, pod in pods.items()]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    done = kubectl("create", "--dry-run=server", "--namespace", namespace, "-f", "-", input=listed, check=False)
    return set(ACCEPTED.findall(done.stdout)), done.stderr


@pytest.fixture(params=[{}, RESTRICTED], ids=["open", "restricted"])
def namespace(request, make_namespace) -> str:
    return make_namespace("injection", labels=request.param)


def test_a_pod_that_was_acceptable_is_acceptable_with_the_sidecar(kubectl, namespace):
    pods = cases()
    before, _ = accepted(kubectl, namespace, {name: pod for name, (pod, _) in pods.items()})
    after, complaints = accepted(kubectl, namespace, {name: pod for name, (_, pod) in pods.items()})
    assert before - after == set(), complaints
    assert after == before, "the patch must not make a pod acceptable either"


def test_at_least_fifty_kinds_of_pods_are_accepted(kubectl, make_namespace):
    taken, complaints = accepted(
        kubectl, make_namespace("injection"), {name: pod for name, (_, pod) in cases().items()}
    )
    assert len(taken) >= 50, complaints


def test_the_sidecar_gets_no_api_token(kubectl, make_namespace):
    """Kubernetes gives every container one that has nothing at its place; ours has an empty folder there."""
    _, pod = cases()["plain-pod"]
    one = json.dumps(named(pod, "plain-pod", make_namespace("injection")))
    made = json.loads(kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", input=one).stdout)
    (sidecar,) = made["spec"]["initContainers"]
    (app,) = made["spec"]["containers"]
    token = [mount for mount in app["volumeMounts"] if mount["mountPath"].endswith("/serviceaccount")]
    assert token, "the app has one, so the question is a real one"
    assert token[0]["name"] not in {mount["name"] for mount in sidecar["volumeMounts"]}
