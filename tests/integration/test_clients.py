"""Programs that people send mail with, as they are: what they send arrives, and they tell what the relay said."""

import subprocess

import pytest
from fakes.fault_relay import Say
from sidecar_process import IDENTITY, MAILBOX, Sidecar

TO = "ann@fabrikam.test"
# A line with a dot in front, one that is only a dot, octets that are no ASCII, an end without a line end.
MESSAGE = f"From: {MAILBOX}\nTo: {TO}\nSubject: Invoice\n\n.hidden\n.\nGr\u00fc\u00dfe, Ann".encode()

CLIENTS = {
    "msmtp": ["msmtp", "--host=127.0.0.1", "--port={port}", "--tls=off", "--auth=off", "--from={sender}", "{to}"],
    "swaks": ["swaks", "--server", "127.0.0.1:{port}", "--from", "{sender}", "--to", "{to}", "--data", "-"],
    "curl": ["curl", "-sSv", "smtp://127.0.0.1:{port}", "--mail-from", "{sender}", "--mail-rcpt", "{to}", "-T", "-"],
}


def send(client: str, sidecar: Sidecar, *more: str) -> subprocess.CompletedProcess:
    """One message with this program, from its standard input."""
    words = [word.format(port=sidecar.smtp_port, sender=MAILBOX, to=TO) for word in CLIENTS[client]]
    command = [words[0], *more, *words[1:]]
    return subprocess.run(command, input=MESSAGE, capture_output=True, timeout=60, env={"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize("client", CLIENTS)
def test_the_message_arrives_whole(client, sidecar, relay):
    done = send(client, sidecar)
    assert done.returncode == 0, done.stderr.decode()
    (mail,) = relay.mails
    assert (mail.sender, mail.recipients) == (MAILBOX, (TO,))
    assert mail.body.endswith(MESSAGE.replace(b"\n", b"\r\n") + b"\r\n")


@pytest.mark.parametrize("client", CLIENTS)
def test_the_relays_refusal_is_told(client, sidecar, relay):
    relay.always("rcpt", Say("550 5.1.1 nobody of that name"))
    done = send(client, sidecar)
    assert done.returncode != 0
    assert b"nobody of that name" in done.stdout + done.stderr
    assert not relay.mails


def test_a_client_that_insists_on_logging_in_may(identities, settings, make_token, start_sidecar, relay):
    identities.put(IDENTITY, settings, make_token())
    sidecar = start_sidecar(environment={"MAIL_SIDECAR_ACCEPT_AUTH": "true"})
    for mechanism in ("LOGIN", "PLAIN"):
        done = send("swaks", sidecar, "--auth", mechanism, "--auth-user", "app", "--auth-password", "none")
        assert done.returncode == 0, done.stdout.decode()
    assert len(relay.mails) == 2
