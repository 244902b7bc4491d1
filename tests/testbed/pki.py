"""Certificates of the testbed, made anew for each of its lives."""

import base64
from pathlib import Path

from .place import API_SERVICE, AUTHORIZATION, AUTHORIZATION_NAMES, NODE, RELAY, RELAY_NAMES, Place
from .tools import run

EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def make_ca(folder: Path, name: str, subject: str) -> None:
    run(
        *("openssl", "req", "-x509", *EC_KEY, "-days", "3650", "-subj", subject),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"),
    )


def issue(folder: Path, ca: str, name: str, subject: str, usage: str, names: tuple[str, ...] = ()) -> None:
    """A key and a certificate of `ca`. Usage: serverAuth, clientAuth or both; names: DNS:, IP:."""
    request = run("openssl", "req", *EC_KEY, "-subj", subject, "-keyout", folder / f"{name}.key")
    extensions = [f"extendedKeyUsage={usage}", "basicConstraints=CA:FALSE", "keyUsage=digitalSignature"]
    if names:
        extensions.append(f"subjectAltName={','.join(names)}")
    file = folder / f"{name}.extensions"
    file.write_text("\n".join(extensions))
    authority = ("-CA", folder / f"{ca}.crt", "-CAkey", folder / f"{ca}.key", "-CAcreateserial")
    signed = ("openssl", "x509", "-req", *authority, "-days", "3650", "-extfile", file)
    run(*signed, "-out", folder / f"{name}.crt", input=request)


def make_kubernetes(folder: Path) -> None:
    """What the API server and those who talk to it need."""
    make_ca(folder, "kubernetes-ca", "/CN=kubernetes")
    make_ca(folder, "front-proxy-ca", "/CN=front-proxy")
    service = [f"DNS:kubernetes{suffix}" for suffix in ("", ".default", ".default.svc", ".default.svc.cluster.local")]
    api = ("DNS:localhost", "IP:127.0.0.1", f"IP:{NODE}", f"IP:{API_SERVICE}", *service)
    issue(folder, "kubernetes-ca", "kube-apiserver", "/CN=kube-apiserver", "serverAuth", api)
    issue(folder, "front-proxy-ca", "front-proxy", "/CN=front-proxy-client", "clientAuth")
    for name, subject in {
        "admin": "/O=system:masters/CN=admin",
        "kubelet-client": "/O=system:masters/CN=kube-apiserver-kubelet-client",
        "controller-manager": "/CN=system:kube-controller-manager",
        "scheduler": "/CN=system:kube-scheduler",
        "proxy": "/CN=system:kube-proxy",
        "coredns": "/O=system:masters/CN=coredns",
    }.items():
        issue(folder, "kubernetes-ca", name, subject, "clientAuth")
    node = ("DNS:node1", "IP:127.0.0.1", f"IP:{NODE}")
    issue(folder, "kubernetes-ca", "node", "/O=system:nodes/CN=system:node:node1", "serverAuth,clientAuth", node)
    run("openssl", "genpkey", "-algorithm", "RSA", "-out", folder / "accounts.key")
    run("openssl", "pkey", "-in", folder / "accounts.key", "-pubout", "-out", folder / "accounts.pub")


def make_servers(folder: Path) -> None:
    """What authorization server and relay show; whoever uses them has to be given the CA."""
    make_ca(folder, "testbed-ca", "/CN=Testbed CA")
    for name, address, names in (
        ("authorization", AUTHORIZATION, AUTHORIZATION_NAMES),
        ("relay", RELAY, RELAY_NAMES),
    ):
        alternatives = (*(f"DNS:{name}" for name in names), f"IP:{address}")
        issue(folder, "testbed-ca", name, f"/CN={names[0]}", "serverAuth", alternatives)
    # Signs the access tokens.
    run("openssl", "genpkey", "-algorithm", "RSA", "-out", folder / "tokens.key")
    run("openssl", "pkey", "-in", folder / "tokens.key", "-pubout", "-out", folder / "tokens.pub")


def make(place: Place) -> None:
    """All of it, once for each life of the testbed."""
    folder = place.pki
    if (folder / "ready").exists():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    make_kubernetes(folder)
    make_servers(folder)
    # Whoever tests with the CA need not be root.
    folder.chmod(0o711)
    for key in folder.glob("*.key"):
        key.chmod(0o600)
    (folder / "ready").touch()


def kubeconfig(place: Place, name: str, server: str) -> str:
    """Of the client with this certificate, complete in itself."""

    def data(file: str) -> str:
        return base64.b64encode((place.pki / file).read_bytes()).decode()

    return f"""apiVersion: v1
kind: Config
clusters:
- name: testbed
  cluster:
    server: {server}
    certificate-authority-data: {data("kubernetes-ca.crt")}
users:
- name: {name}
  user:
    client-certificate-data: {data(f"{name}.crt")}
    client-key-data: {data(f"{name}.key")}
contexts:
- name: testbed
  context: {{cluster: testbed, user: {name}}}
current-context: testbed
"""
