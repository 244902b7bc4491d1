"""operator/kube against the real API server, through the program kube_shell (kube_shell.cpp)."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from testbed import api_server

PROGRAM = os.environ.get("MAILID_KUBE_SHELL", "build/dev/tests/cluster/kube_shell")
ETCDCTL = ("/usr/bin/etcdctl", "--endpoints=" + api_server.ETCD)
MANY = 2000


class Shell:
    """A running kube_shell."""

    def __init__(self, testbed, kubeconfig: Path, log: Path):
        self.log = log
        # Freed memory goes back at once where the build has sanitizers; without them this says nothing.
        environment = os.environ | {"ASAN_OPTIONS": "quarantine_size_mb=1"}
        self.process = subprocess.Popen(
            testbed.command(PROGRAM, kubeconfig),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
            env=environment,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def say(self, line: str) -> None:
        print(line, file=self.process.stdin, flush=True)

    def next(self, seconds: float = 60) -> str:
        """The next line that it says."""
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"kube_shell says nothing; its log: {self.log.read_text()[-2000:]}") from None

    def until(self, last: str, seconds: float = 60) -> list[str]:
        """All that it says up to and with this line."""
        said = []
        while not said or said[-1] != last:
            said.append(self.next(seconds))
        return said

    def ask(self, line: str) -> str:
        """What came of one request."""
        self.say(line)
        return self.next().removeprefix("= ")

    def private_kilobytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
        raise AssertionError("no RssAnon")

    def end(self) -> None:
        self.process.stdin.close()
        try:
            status = self.process.wait(20)
        finally:
            self.process.kill()
        assert status == 0, self.log.read_text()[-4000:]


@pytest.fixture
def shell(testbed, tmp_path):
    """shell(kubeconfig=the administrator's) starts a kube_shell."""
    started = []

    def start(kubeconfig: Path | None = None) -> Shell:
        log = tmp_path / f"kube_shell-{len(started)}.log"
        started.append(Shell(testbed, kubeconfig or testbed.place.kubeconfig, log))
        return started[-1]

    yield start
    for one in started:
        os.kill(one.process.pid, signal.SIGCONT)
        one.end()


@pytest.fixture
def config_maps(make_namespace):
    """The collection of config maps in a namespace of the test's own, and the namespace."""
    namespace = make_namespace("kube-client")
    return f"/api/v1/namespaces/{namespace}/configmaps", namespace


def config_map(name: str, size: int = 10) -> str:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    return json.dumps({**kind, "metadata": {"name": name}, "data": {"text": "x" * size}})


def restart_api_server(testbed) -> None:
    testbed.inside.stop("kube-apiserver")
    api_server.up(testbed.inside)


def test_lists_pages_and_watches_many_objects_in_little_memory(shell, config_maps, kubectl):
    collection, namespace = config_maps
    writer, reader = shell(), shell()
    reader.say(f"follow {collection} 250")
    reader.until("synced")
    before = reader.private_kilobytes()
    for number in range(MANY):
        writer.say(f"create {collection} {config_map(f'many-{number}', 2000)}")
    for _ in range(MANY):
        assert writer.next() == "= 200"
    watched = {reader.next() for _ in range(MANY)}
    assert watched == {f"+ {namespace}/many-{number}" for number in range(MANY)}
    assert reader.private_kilobytes() - before < 12_000

    lister = shell()
    lister.say(f"follow {collection} 250")
    listed = lister.until("synced")
    # kube-root-ca.crt is there too where a controller manager runs.
    assert watched <= set(listed)
    assert len(listed) == len(set(listed))
    assert lister.private_kilobytes() < before + 12_000

    kubectl("-n", namespace, "delete", "configmap", "many-7")
    for one in (reader, lister):
        assert one.next() == f"- {namespace}/many-7"


def test_lists_again_after_a_compaction_and_tells_what_has_gone(shell, config_maps, kubectl, testbed):
    collection, namespace = config_maps
    writer, reader = shell(), shell()
    for name in ("stays", "changes", "goes"):
        assert writer.ask(f"create {collection} {config_map(name)}") == "200"
    reader.say(f"follow {collection} 2")
    reader.until("synced")

    # Its watch ends first: else what it must miss may wait for it in its socket.
    os.kill(reader.process.pid, signal.SIGSTOP)
    restart_api_server(testbed)
    kubectl("-n", namespace, "delete", "configmap", "goes")
    kubectl("-n", namespace, "label", "configmap", "changes", "changed=yes")
    status = json.loads(testbed.run(*ETCDCTL, "endpoint", "status", "--write-out=json").stdout)
    testbed.run(*ETCDCTL, "compact", str(status[0]["Status"]["header"]["revision"]))
    # The watch cache of a new API server begins at the present, so what was before is gone.
    restart_api_server(testbed)
    os.kill(reader.process.pid, signal.SIGCONT)

    said = reader.until("synced", 120)
    assert said == [f"~ {namespace}/changes", f"- {namespace}/goes", "synced"]
    assert '"code":410' in reader.log.read_text()


def test_goes_on_after_a_restart_of_the_api_server(shell, config_maps, testbed):
    collection, namespace = config_maps
    writer, reader = shell(), shell()
    assert writer.ask(f"create {collection} {config_map('before')}") == "200"
    reader.say(f"follow {collection} 100")
    reader.until("synced")

    testbed.inside.stop("kube-apiserver")
    assert writer.ask(f"get {collection}/before") == "0 Unreachable"
    api_server.up(testbed.inside)
    assert writer.ask(f"create {collection} {config_map('after')}") == "200"
    said = []
    while f"+ {namespace}/after" not in said:
        said.append(reader.next())
    # It may have had to list again, but says nothing twice.
    assert [line for line in said if line != "synced"] == [f"+ {namespace}/after"]


def test_tells_a_conflict_from_an_object_that_is_there(shell, config_maps, kubectl):
    collection, namespace = config_maps
    client = shell()
    assert client.ask(f"create {collection} {config_map('one')}") == "200"
    assert client.ask(f"create {collection} {config_map('one')}") == "409 AlreadyExists"

    stale = json.loads(kubectl("-n", namespace, "get", "configmap", "one", "-o", "json").stdout)["metadata"]
    one = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"text": "mine"}}
    one["metadata"] = {"name": "one", "resourceVersion": stale["resourceVersion"], "uid": stale["uid"]}
    assert client.ask(f"apply {collection}/one me {json.dumps(one)}") == "200"
    one["data"]["text"] = "again, with the old version"
    assert client.ask(f"apply {collection}/one me {json.dumps(one)}") == "409 Conflict"
    del one["metadata"]["resourceVersion"]
    # An object that was made anew meanwhile; with the old version it is a conflict, without one the uid is wrong.
    one["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    assert client.ask(f"apply {collection}/one me {json.dumps(one)}") == "422 Invalid"

    replace = json.dumps([{"op": "replace", "path": "/data/text", "value": "patched"}])
    assert client.ask(f"patch {collection}/one {replace}") == "200"
    assert kubectl("-n", namespace, "get", "configmap", "one", "-o", "jsonpath={.data.text}").stdout == "patched"
    assert client.ask(f"patch {collection}/one " + replace.replace("replace", "test", 1)) == "200"
    assert client.ask(f"get {collection}/none") == "404 NotFound"


def test_takes_a_token_as_soon_as_its_file_has_changed(shell, config_maps, kubectl, testbed, tmp_path):
    collection, namespace = config_maps
    kubectl("-n", namespace, "create", "serviceaccount", "reader")
    kubectl("-n", namespace, "create", "role", "reader", "--verb=get", "--resource=configmaps")
    kubectl("-n", namespace, "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader")

    def new_token() -> str:
        return kubectl("-n", namespace, "create", "token", "reader").stdout.strip()

    token = tmp_path / "token"
    kubeconfig = tmp_path / "kubeconfig"
    ca = testbed.place.pki / "kubernetes-ca.crt"
    kubeconfig.write_text(
        f"""
current-context: reader
contexts: [{{name: reader, context: {{cluster: testbed, user: reader}}}}]
clusters: [{{name: testbed, cluster: {{server: "https://10.77.0.1:6443", certificate-authority: {ca}}}}}]
users: [{{name: reader, user: {{tokenFile: token}}}}]
"""
    )
    token.write_text(new_token())
    client = shell(kubeconfig)
    assert client.ask(f"get {collection}/none") == "404 NotFound"
    assert client.ask(f"create {collection} {config_map('one')}") == "403 Forbidden"
    token.write_text("not-a-token")
    assert client.ask(f"get {collection}/none") == "401 Unauthorized"
    token.unlink()
    assert client.ask(f"get {collection}/none") == "0 NoToken"
    token.write_text(new_token() + "\n")
    assert client.ask(f"get {collection}/none") == "404 NotFound"
    assert "not-a-token" not in client.log.read_text()


def test_a_watch_is_not_kept_from_the_client_by_what_others_hold_open(shell, config_maps):
    collection, namespace = config_maps
    client = shell()
    for _ in range(20):
        client.say(f"follow {collection} 10")
    for _ in range(20):
        client.until("synced")
    begin = time.monotonic()
    assert client.ask(f"create {collection} {config_map('seen')}") in ("200", f"+ {namespace}/seen")
    said = [client.next() for _ in range(20)]
    assert time.monotonic() - begin < 10
    assert said.count(f"+ {namespace}/seen") >= 19
