"""etcd and kube-apiserver."""

import subprocess

from . import pki, tools
from .namespace import Namespace, command
from .place import API, NODE, SERVICES
from .progress import step

ETCD = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"


def start_etcd(namespace: Namespace) -> None:
    namespace.start(
        "etcd",
        "/usr/bin/etcd",
        *("--name=testbed", f"--data-dir={namespace.place.state / 'etcd'}"),
        *(f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}"),
        *(f"--listen-peer-urls={ETCD_PEER}", f"--initial-advertise-peer-urls={ETCD_PEER}"),
        *(f"--initial-cluster=testbed={ETCD_PEER}", "--logger=zap", "--log-level=warn"),
        # Nothing here outlives the machine.
        "--unsafe-no-fsync",
    )


def start_api_server(namespace: Namespace) -> None:
    keys = namespace.place.pki
    namespace.start(
        "kube-apiserver",
        tools.kubernetes("kube-apiserver") / "kube-apiserver",
        *(f"--etcd-servers={ETCD}", f"--advertise-address={NODE}", "--bind-address=0.0.0.0", "--secure-port=6443"),
        # A webhook's Service may point at a test's process on the host, without kube-proxy.
        *("--enable-aggregator-routing=true", f"--service-cluster-ip-range={SERVICES}", "--allow-privileged=true"),
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--profiling=false"),
        *(f"--client-ca-file={keys}/kubernetes-ca.crt", f"--tls-cert-file={keys}/kube-apiserver.crt"),
        f"--tls-private-key-file={keys}/kube-apiserver.key",
        f"--kubelet-certificate-authority={keys}/kubernetes-ca.crt",
        f"--kubelet-client-certificate={keys}/kubelet-client.crt",
        f"--kubelet-client-key={keys}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={keys}/accounts.pub",
        f"--service-account-signing-key-file={keys}/accounts.key",
        f"--requestheader-client-ca-file={keys}/front-proxy-ca.crt",
        f"--proxy-client-cert-file={keys}/front-proxy.crt",
        f"--proxy-client-key-file={keys}/front-proxy.key",
        *("--requestheader-allowed-names=front-proxy-client", "--requestheader-extra-headers-prefix=X-Remote-Extra-"),
        *("--requestheader-group-headers=X-Remote-Group", "--requestheader-username-headers=X-Remote-User"),
    )


def ready(namespace: Namespace) -> bool:
    """Whether the API server says that it is."""
    kubectl = [tools.client("kubectl"), f"--kubeconfig={namespace.place.kubeconfig}", "get", "--raw=/readyz"]
    done = subprocess.run(command(namespace.place, *kubectl), capture_output=True, text=True, check=False)
    return done.stdout == "ok"


def up(namespace: Namespace) -> None:
    """Brings both up where they aren't, and waits for the API server."""
    if namespace.running("etcd") and namespace.running("kube-apiserver") and ready(namespace):
        return
    with step("etcd and kube-apiserver"):
        kubeconfig = namespace.place.kubeconfig
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(pki.kubeconfig(namespace.place, "admin", API))
        start_etcd(namespace)
        start_api_server(namespace)
        namespace.wait("kube-apiserver", lambda: ready(namespace), 120)
