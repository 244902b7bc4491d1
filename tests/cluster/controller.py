"""The controller as a process against the testbed's API server, through proxies that see every request."""

import base64
import ctypes
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

from fakes.holding_proxy import HoldingProxy, Point
from testbed import pki
from testbed.namespace import CLONE_NEWNET

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / os.environ.get("MAILID_BUILD", "build/release") / "mail-identity-operator"
CHART = ROOT / "charts/mail-identity-operator"
CRD = ROOT / "crds/mailidentities.mailidentity.io.yaml"
SYSTEM = "mail-system"
ACCOUNT = "mail-identity-operator-controller"
DOMAIN = "contoso.test"


def listen_inside(bed) -> socket.socket:
    """A socket that listens on the loopback address of the testbed's network."""
    made: list[socket.socket] = []

    def enter_and_listen() -> None:
        with bed.place.namespace.open("rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        made.append(socket.create_server(("127.0.0.1", 0)))

    thread = threading.Thread(target=enter_and_listen)
    thread.start()
    thread.join()
    return made[0]


def proxy(bed, folder: Path, host: str, port: int, roots: Path, name: str) -> HoldingProxy:
    """A proxy inside before host:port, whose certificate must be for `name` and from `roots`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "proxy.crt", folder / "proxy.key")
    upstream = ssl.create_default_context(cafile=str(roots))
    return HoldingProxy(listen_inside(bed), context, lambda: bed.connect(host, port, None), upstream, name)


def install_rights(bed) -> str:
    """CRD, account and rights as the chart gives them, without the chart's pods; a token of the account."""
    bed.kubectl("apply", "-f", CRD)
    bed.kubectl("wait", "--for=condition=Established", "crd/mailidentities.mailidentity.io", "--timeout=30s")
    made = bed.kubectl("create", "namespace", SYSTEM, check=False)
    assert made.returncode == 0 or "AlreadyExists" in made.stderr, made.stderr
    rendered = bed.helm("template", "mail-identity-operator", CHART, "--namespace", SYSTEM).stdout
    # Without the CRD, which is there, and the workloads, which would need a node.
    parts = re.split(r"(?m)^---\n", rendered)
    wanted = [part for part in parts if re.search(r"(?m)^kind: (ServiceAccount|ClusterRole|ClusterRoleBinding)$", part)]
    bed.kubectl("apply", "-f", "-", input="---\n".join(wanted))
    return bed.kubectl("create", "token", ACCOUNT, "--namespace", SYSTEM, "--duration", "1h").stdout.strip()


class Proxies:
    """The API server and the authorization server, each behind a proxy, and the kubeconfig that leads there."""

    def __init__(self, bed, folder: Path):
        pki.make_ca(folder, "proxy-ca", "/CN=Proxy CA")
        pki.issue(folder, "proxy-ca", "proxy", "/CN=proxy", "serverAuth", ("IP:127.0.0.1",))
        place = bed.place
        self.api = proxy(bed, folder, "10.77.0.1", 6443, place.pki / "kubernetes-ca.crt", "10.77.0.1")
        self.authorization = proxy(bed, folder, "auth.testbed.test", 443, place.ca, "auth.testbed.test")
        self.ca = folder / "proxy-ca.crt"
        self.kubeconfig = folder / "kubeconfig"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "controller"}}],
            "clusters": [
                {
                    "name": "proxy",
                    "cluster": {
                        "server": f"https://127.0.0.1:{self.api.port}",
                        "certificate-authority": str(self.ca),
                    },
                }
            ],
            "users": [{"name": "controller", "user": {"token": install_rights(bed)}}],
        }
        self.kubeconfig.write_text(json.dumps(config))
        self.kubeconfig.chmod(0o600)

    def close(self) -> None:
        self.api.close()
        self.authorization.close()


class Controller:
    """One controller at a time; killed for good at the end of the test."""

    def __init__(self, bed, proxies: Proxies, folder: Path):
        self._bed = bed
        self._proxies = proxies
        self._log = folder / "controller.log"
        self._process: subprocess.Popen | None = None
        self.health_port = 0

    def start(self) -> None:
        assert BINARY.is_file(), f"{BINARY} is missing: build the preset release"
        argv = [
            *(BINARY, "controller", f"--kubeconfig={self._proxies.kubeconfig}"),
            *("--allowed-hosts=127.0.0.1,relay.testbed.test", f"--token-ca-file={self._proxies.ca}"),
            *(f"--smtp-ca-file={self._bed.place.ca}", "--health-port=0", "--log-level=debug"),
        ]
        begin = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._bed.command(*argv), stderr=log, stdin=subprocess.DEVNULL)
        line = until(lambda: self._started(begin), "the controller says that it has started")
        self.health_port = line["health_port"]

    def _started(self, begin: int) -> dict | None:
        assert self._process.poll() is None, self.log()[-2000:]
        lines = self._log.read_bytes()[begin:].decode().splitlines(keepends=True)
        whole = [json.loads(line) for line in lines if line.endswith("\n") and line.startswith("{")]
        return next((line for line in whole if line["message"] == "controller"), None)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def terminate(self) -> int:
        """Ends it as the kubelet does; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def died_of(self) -> int | None:
        return self._process.poll()

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        return self._log.read_text()

    def page(self, path: str) -> tuple[int, str]:
        """Status and body of /healthz, /readyz or /metrics."""
        with self._bed.connect("127.0.0.1", self.health_port) as connection, connection.makefile("rb") as answer:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            head, _, body = answer.read().partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def metric(self, name: str, label: str = "") -> float:
        """The sum of a metric's series, of those with the label (`namespace="shop"`)."""
        values = re.findall(rf"(?m)^{name}(?:\{{(.*)\}})? (\S+)$", self.page("/metrics")[1])
        return sum(float(value) for labels, value in values if label in labels)


class Identity:
    """One MailIdentity in a namespace and client of its own, and what became of it."""

    def __init__(self, bed, proxies: Proxies, namespace: str, name: str = "billing"):
        self.bed = bed
        self.namespace = namespace
        self.name = name
        self.client = f"client-{secrets.token_hex(4)}"
        self._port = proxies.authorization.port
        bed.authorization.put_client(self.client, secret="right", lifetime=3600, domain=DOMAIN)

    def objects(self) -> list[dict]:
        credential = {"clientSecretRef": {"name": "app", "key": "client-secret"}}
        provider = {
            "tokenURL": f"https://127.0.0.1:{self._port}/token",
            "clientID": self.client,
            "credential": credential,
        }
        return [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "app"},
                "stringData": {"client-secret": "right"},
            },
            {
                "apiVersion": "mailidentity.io/v1alpha1",
                "kind": "MailIdentity",
                "metadata": {"name": self.name},
                "spec": {
                    "mailbox": f"{self.name}@{DOMAIN}",
                    "provider": {"oauth2": provider},
                    "smtp": {"host": "relay.testbed.test"},
                },
            },
        ]

    def apply(self) -> None:
        objects = {"apiVersion": "v1", "kind": "List", "items": self.objects()}
        self.bed.kubectl("apply", "--namespace", self.namespace, "-f", "-", input=json.dumps(objects))

    def delete(self) -> None:
        """Without a controller manager its namespace stays, and the next test's controller would find it there."""
        self.bed.kubectl("delete", "mid", "--all", "--namespace", self.namespace)

    def set_life(self, seconds: int) -> None:
        """How long tokens live that are issued from now on."""
        self.bed.authorization.put_client(self.client, lifetime=seconds)

    def ask_refresh(self, value: str) -> None:
        annotation = f"mailidentity.io/refresh={value}"
        self.bed.kubectl("annotate", "--namespace", self.namespace, f"mid/{self.name}", annotation)

    def status(self) -> dict:
        found = self.bed.kubectl("get", "mid", self.name, "--namespace", self.namespace, "-o", "json").stdout
        return json.loads(found).get("status", {})

    def secret(self) -> dict[str, bytes]:
        """The token's Secret, decoded; empty where there is none."""
        name = f"{self.name}-mail-token"
        found = self.bed.kubectl("get", "secret", name, "--namespace", self.namespace, "-o", "json", check=False)
        if found.returncode:
            assert "NotFound" in found.stderr, found.stderr
            return {}
        return {key: base64.b64decode(value) for key, value in json.loads(found.stdout)["data"].items()}

    def token(self) -> str:
        return self.secret().get("token", b"").decode()

    def calls(self) -> int:
        """Calls of the token endpoint that reached it."""
        return sum(call["client"] == self.client for call in self.bed.authorization.calls())

    def settled(self, old_token: str = "") -> bool:
        """Everything is True, about a token that is not `old_token`, and the status is about what is in the Secret."""
        secret = self.secret()
        if not secret or secret["token"].decode() == old_token:
            return False
        status = self.status()
        conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
        return (
            conditions == dict.fromkeys(("Ready", "TokenIssued", "TokenFresh", "LoginVerified"), "True")
            and status["token"]["expirationTime"].encode() == secret["expires-at"]
            and "lastFailure" not in status
        )


def until(condition, what: str, limit: float = 40):
    """The first true value of `condition`."""
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {limit:.0f} s: {what}"
        time.sleep(0.1)
    return value


def reached(point: Point, what: str) -> None:
    assert point.reached.wait(40), f"the point was not reached: {what}"
