"""The node: containerd, kubelet, kube-proxy, and the controllers and scheduler that make it a cluster."""

import json
import subprocess
import textwrap
from pathlib import Path

from . import cgroups, images, pki, tools
from .namespace import Namespace, command, connect
from .place import API, NODE, PODS, SERVICES, Place, Trouble
from .progress import step

NAME = "node1"
CONTAINERD = "/run/containerd/containerd.sock"
PROGRAMS = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


def containerd_configuration(place: Place) -> str:
    # restrict_oom_score_adj: a root without CAP_SYS_RESOURCE may not make a process more precious than itself.
    return textwrap.dedent(f"""\
        version = 2
        root = "{place.state}/containerd"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "{images.PAUSE}"
          restrict_oom_score_adj = true
          disable_apparmor = true
          disable_hugetlb_controller = true
          tolerate_missing_hugetlb_controller = true
          [plugins."io.containerd.grpc.v1.cri".containerd]
            default_runtime_name = "runc"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "{place.state}/cni"
        """)


def network_configuration() -> str:
    address = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": False, "hairpinMode": True}
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge | {"ipam": address}]})


def kubelet_configuration(place: Place) -> str:
    configuration = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{place.cgroup}",
        "failSwapOn": False,
        "address": "0.0.0.0",
        "healthzBindAddress": "127.0.0.1",
        "tlsCertFile": f"{place.pki}/node.crt",
        "tlsPrivateKeyFile": f"{place.pki}/node.key",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{place.pki}/kubernetes-ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [NODE],
        "clusterDomain": "cluster.local",
        "resolvConf": str(place.resolv),
        # Changed Secrets are in their volumes within a second or two.
        "syncFrequency": "1s",
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "nodeStatusUpdateFrequency": "5s",
        "makeIPTablesUtilChains": False,
        "registryPullQPS": 0,
        # Loaded images can't be pulled again, and a machine that is nearly full still tests.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    }
    if not cgroups.unified():
        configuration["failCgroupV1"] = False
    return json.dumps(configuration, indent=2)


def proxy_configuration(place: Place) -> str:
    return json.dumps(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": PODS,
            "hostnameOverride": NAME,
            "clientConnection": {"kubeconfig": str(place.state / "proxy.kubeconfig")},
            # The machine's own limits stay as they are.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        },
        indent=2,
    )


def write_configuration(place: Place) -> None:
    for client in ("controller-manager", "scheduler", "node", "proxy"):
        file = place.state / f"{client}.kubeconfig"
        file.touch(mode=0o600)
        file.write_text(pki.kubeconfig(place, client, API))
    (place.state / "cni").mkdir(exist_ok=True)
    (place.state / "cni/10-pods.conflist").write_text(network_configuration())
    (place.state / "containerd.toml").write_text(containerd_configuration(place))
    (place.state / "kubelet.json").write_text(kubelet_configuration(place))
    (place.state / "proxy.json").write_text(proxy_configuration(place))


def start_controllers(namespace: Namespace, programs: Path) -> None:
    state, keys = namespace.place.state, namespace.place.pki
    for name, short in (("kube-controller-manager", "controller-manager"), ("kube-scheduler", "scheduler")):
        own = {
            "kube-controller-manager": (
                f"--service-account-private-key-file={keys}/accounts.key",
                f"--root-ca-file={keys}/kubernetes-ca.crt",
                f"--cluster-signing-cert-file={keys}/kubernetes-ca.crt",
                f"--cluster-signing-key-file={keys}/kubernetes-ca.key",
                f"--requestheader-client-ca-file={keys}/front-proxy-ca.crt",
                f"--client-ca-file={keys}/kubernetes-ca.crt",
                *("--use-service-account-credentials=true", "--allocate-node-cidrs=true"),
                *(f"--cluster-cidr={PODS}", f"--service-cluster-ip-range={SERVICES}"),
            ),
            "kube-scheduler": (),
        }[name]
        kubeconfig = f"{state}/{short}.kubeconfig"
        namespace.start(
            name,
            programs / name,
            *(f"--kubeconfig={kubeconfig}", f"--authentication-kubeconfig={kubeconfig}"),
            *(f"--authorization-kubeconfig={kubeconfig}", "--bind-address=127.0.0.1", "--leader-elect=false"),
            *own,
        )


def start_kubelet(namespace: Namespace, programs: Path) -> None:
    state = namespace.place.state
    namespace.start(
        "kubelet",
        programs / "kubelet",
        *(f"--config={state}/kubelet.json", f"--kubeconfig={state}/node.kubeconfig"),
        *(f"--hostname-override={NAME}", f"--node-ip={NODE}", f"--root-dir={state}/kubelet"),
        f"--cert-dir={state}/kubelet/pki",
        # Else it looks for a cloud's metadata address first.
        environment={"AWS_EC2_METADATA_DISABLED": "true"},
    )


def containerd_ready(namespace: Namespace) -> bool:
    return namespace.inside("ctr", "--address", CONTAINERD, "version").returncode == 0


def load_image(namespace: Namespace, archive: Path) -> None:
    """Brings a docker archive's image into the node."""
    done = namespace.inside("ctr", "--address", CONTAINERD, "--namespace", "k8s.io", "images", "import", archive)
    if done.returncode:
        raise Trouble(f"{archive} could not be loaded into the node: {done.stderr.strip()}")


def processes_of_pod(uid: str) -> list[int]:
    """The processes in a pod's cgroups as the host numbers them, oldest first."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"/pod{uid}/" in (entry / "cgroup").read_text():
                found.append((int((entry / "stat").read_text().rpartition(")")[2].split()[19]), int(entry.name)))
        except OSError:
            continue
    return [pid for _, pid in sorted(found)]


def kubectl(namespace: Namespace, *arguments: str) -> str:
    program = [tools.client("kubectl"), f"--kubeconfig={namespace.place.kubeconfig}", *arguments]
    return subprocess.run(command(namespace.place, *program), capture_output=True, text=True, check=False).stdout


def ready(namespace: Namespace) -> bool:
    """Whether the kubelet listens, the node is Ready and pods can be made."""
    try:
        connect(namespace.place, NODE, 10250).close()
    except OSError:
        return False
    path = "jsonpath={.items[?(@.kind=='Node')].status.conditions[?(@.type=='Ready')].status} {.items[1].kind}"
    return kubectl(namespace, "get", f"node/{NAME}", "serviceaccount/default", "-o", path) == "True ServiceAccount"


def up(namespace: Namespace) -> None:
    names = ("containerd", *PROGRAMS)
    if all(namespace.running(name) for name in names) and ready(namespace):
        return
    archives = images.archives()
    programs = tools.kubernetes(*PROGRAMS)
    write_configuration(namespace.place)
    cgroups.make(namespace.place.cgroup)
    with step("containerd"):
        if not namespace.running("containerd"):
            configuration = namespace.place.state / "containerd.toml"
            namespace.start("containerd", "/usr/bin/containerd", "--config", configuration)
            namespace.wait("containerd", lambda: containerd_ready(namespace), 30)
            for archive in archives:
                load_image(namespace, archive)
    with step("kubelet, controllers, scheduler, kube-proxy"):
        start_controllers(namespace, programs)
        start_kubelet(namespace, programs)
        namespace.start("kube-proxy", programs / "kube-proxy", f"--config={namespace.place.state}/proxy.json")
        namespace.wait("kubelet", lambda: ready(namespace), 90)
