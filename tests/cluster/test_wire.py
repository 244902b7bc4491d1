"""A capture of all traffic, from an identity's creation to mail by a rotated token: no credential is outside TLS."""

import base64
import secrets
import socket
from pathlib import Path

import manifests
import product
import pytest
from access_token import claims
from credentials import Credentials
from shop import AUTHORIZATION_HOSTS, NAMES, RELAY_HOSTS, Shop, secret_value
from testbed.api_server import ETCD
from testbed.place import API_SERVICE, AUTHORIZATION, RELAY
from testbed.relay import AUTH
from waiting import until
from wire import CLIENT_HELLO, Capture, Flows, asks_tls_for, select

TEXT = "Please pay by the end of the month"
ACCOUNT = "root/var/run/secrets/kubernetes.io/serviceaccount/token"
# Two servers of the testbed speak in clear, on loopback, with a program behind them: the API server with etcd and
# Postfix with Dovecot. These connections begin where the product's have ended; nothing else is left out.
ETCD_PORT, DOVECOT_PORT = (int(address.rpartition(":")[2]) for address in (ETCD, AUTH))
BEHIND = f"(src net 127 and dst net 127 and tcp port ({ETCD_PORT} or {DOVECOT_PORT}))"


def of_the_operator(bed) -> dict[str, str]:
    """What controller and webhook themselves have to hide."""
    system = product.NAMESPACE
    hidden = {"key of the webhook's CA": secret_value(bed, system, f"{product.RELEASE}-webhook-ca", "tls.key")}
    pods = bed.kubectl("get", "pods", "--namespace", system, "-o", "jsonpath={.items[*].metadata.name}").stdout
    for pod in pods.split():
        files = [Path(f"/proc/{pid}/{ACCOUNT}") for pid in bed.pod_processes(system, pod)]
        hidden |= {f"account of {pod}": file.read_text() for file in files if file.exists()}
    for component in ("controller", "webhook"):
        assert any(f"-{component}-" in name for name in hidden), component
    return hidden


def leak(bed, end: bytes) -> dict[str, str]:
    """Sends tokens as a relay gets them, but in clear: one whole, one in pieces, then `end`. Gives them."""
    tokens = {name: secrets.token_urlsafe(1500) for name in ("whole", "in pieces")}
    whole, in_pieces = (
        base64.b64encode(f"user=post@{manifests.DOMAIN}\x01auth=Bearer {token}\x01\x01".encode())
        for token in tokens.values()
    )
    with (
        bed.listen("127.0.0.1") as listener,
        bed.connect(*listener.getsockname()) as client,
        listener.accept()[0] as server,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(b"AUTH XOAUTH2\r\n" + whole + b"\r\n")
        for begin in range(0, len(in_pieces), 16):
            # Each is answered, so that no two travel in one packet.
            client.sendall(in_pieces[begin : begin + 16])
            server.sendall(b".")
            client.recv(1)
        client.sendall(end)
    return tokens


class Traffic:
    """Captured in one part of the world: whole packets, and the connections that they make up."""

    def __init__(self, capture: Path):
        self.packets = capture.read_bytes()
        self.flows = Flows(capture, capture.with_suffix(""))

    def found(self, credentials: Credentials) -> set[str]:
        return credentials.found_in(self.packets).union(*map(credentials.found_in, self.flows.all()))


class Captured:
    """All that happened, in the testbed's network and in the pod's, and what must be found in neither."""

    def __init__(self, bed, namespace: str, folder: Path):
        self.shop = shop = Shop(bed, namespace)
        with Capture(bed.command(), folder / "network.pcap") as network:
            shop.open()
            with Capture(["nsenter", f"--net=/proc/{shop.process()}/ns/net"], folder / "pod.pcap") as pod:
                until(lambda: shop.send(TEXT), "the pod has sent as both")
                first = shop.tokens()
                shop.refresh()
                until(lambda: not {*first.values()} & {*shop.tokens().values()}, "both have a new token")
                second = shop.tokens()
                # The controller does not log in again, so it is the pod that uses the new tokens.
                used = {claims(token)["jti"] for token in second.values()}
                until(
                    lambda: shop.send(f"{TEXT}, again") and used <= bed.relay.logged_in_tokens(),
                    "the pod has sent with both new tokens",
                )
                until(lambda: shop.send(f"{TEXT}, at last"), "the pod has sent once more")
                last = f"{TEXT}, at last, from {NAMES[-1]}".encode()
                until(lambda: pod.holds(last), "the pod's last mail is in its capture")
            hidden = of_the_operator(bed)
            end = secrets.token_bytes(16)
            self.leaked = Credentials(**leak(bed, end))
            until(lambda: network.holds(end), "what was leaked is in the capture")

        self.secrets = {f"secret of {name}": value for name, value in shop.secrets.items()}
        self.tokens = {f"first token of {name}": value for name, value in first.items()}
        self.tokens |= {f"second token of {name}": value for name, value in second.items()}
        self.credentials = Credentials(**self.secrets, **self.tokens, **hidden)
        self.pod = Traffic(pod.file)
        self.network = Traffic(select(network.file, f"not {BEHIND}", folder / "product.pcap"))
        self.behind = Traffic(select(network.file, BEHIND, folder / "behind.pcap"))
        self.pod_address = shop.address()
        self.controller_address = bed.kubectl(
            *("get", "pods", "--namespace", product.NAMESPACE, "-l", "app.kubernetes.io/component=controller"),
            *("-o", "jsonpath={.items[*].status.podIP}"),
        ).stdout


@pytest.fixture(scope="module")
def captured(testbed, installed, make_lasting_namespace, tmp_path_factory) -> Captured:
    return Captured(testbed, make_lasting_namespace("wire"), tmp_path_factory.mktemp("captures"))


@pytest.mark.parametrize("name", NAMES)
def test_two_tokens_were_asked_for_in_the_way_of_each_client(captured, name):
    assert captured.shop.calls(name) == [(name, 200), (name, 200)]


def test_no_credential_is_in_the_capture(captured):
    assert captured.network.found(captured.credentials) == set()
    assert captured.pod.found(captured.credentials) == set()


def test_the_app_and_its_sidecar_speak_in_clear_and_only_on_the_pods_loopback(captured):
    said = captured.pod.flows.between(sender="127.0.0.1", sender_port=2525)
    heard = captured.pod.flows.between(receiver="127.0.0.1", receiver_port=2525)
    assert len(said) == len(heard) >= 2 * len(NAMES)
    assert all(octets.startswith(b"220 ") for octets in said)
    assert all(TEXT.encode() in octets for octets in heard)
    assert TEXT.encode() not in captured.network.packets


@pytest.mark.parametrize("who", ["controller", "pod"])
def test_the_dialogue_with_the_relay_is_in_the_capture_until_tls_begins(captured, who):
    address = {"controller": captured.controller_address, "pod": captured.pod_address}[who]
    said = captured.network.flows.between(sender=RELAY, sender_port=587, receiver=address)
    heard = captured.network.flows.between(sender=address, receiver=RELAY, receiver_port=587)
    assert all(octets.startswith(b"220 ") and b"250-STARTTLS" in octets for octets in said)
    assert all(octets.startswith(b"EHLO ") and b"STARTTLS\r\n\x16\x03" in octets for octets in heard)
    # The pod has new connections for new tokens.
    logins = {"controller": 1, "pod": 2}[who]
    assert len(said) == len(heard)
    for host in RELAY_HOSTS.values():
        assert sum(asks_tls_for(octets, host) for octets in heard) >= logins


def test_the_authorization_servers_are_asked_for_by_name(captured):
    asked = captured.network.flows.between(
        sender=captured.controller_address, receiver=AUTHORIZATION, receiver_port=443
    )
    for host in AUTHORIZATION_HOSTS.values():
        assert any(asks_tls_for(octets, host) for octets in asked)


def test_the_api_server_is_spoken_to_in_tls(captured):
    # By its address, so without a name. The controller's connections may be older than the capture.
    assert any(CLIENT_HELLO.match(octets) for octets in captured.network.flows.between(receiver_port=6443))
    asked = captured.network.flows.between(sender=captured.controller_address, receiver=API_SERVICE, receiver_port=443)
    assert sum(map(len, asked)) > sum(map(len, captured.tokens.values())), "it wrote the tokens"
    assert all(octets.startswith((b"\x16\x03", b"\x17\x03\x03")) for octets in asked)


def test_the_search_finds_a_token_that_is_sent_in_clear(captured):
    assert captured.leaked.found_in(captured.network.packets) == {"whole"}
    assert captured.network.found(captured.leaked) == {"whole", "in pieces"}


def test_the_search_finds_the_very_credentials_where_servers_speak_in_clear(captured):
    dovecot = captured.behind.flows.between(receiver_port=DOVECOT_PORT)
    etcd = captured.behind.flows.between(receiver_port=ETCD_PORT)
    assert set().union(*map(captured.credentials.found_in, dovecot)) >= {*captured.tokens}
    assert set().union(*map(captured.credentials.found_in, etcd)) >= {*captured.secrets, *captured.tokens}
