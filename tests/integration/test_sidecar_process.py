"""mail-sidecar as a process: what it needs to start, how it ends, and what it shows meanwhile."""

import base64
import signal
import socket
import subprocess
import urllib.error
from pathlib import Path

import pytest
from fakes.fault_relay import Hold
from sidecar_process import BINARY, IDENTITY, MAILBOX, IdentityFolder, Sidecar, free_port
from waiting import until


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """The program to its end, with nothing else in its environment."""
    return subprocess.run([BINARY, *arguments], env=environment, capture_output=True, text=True, timeout=20)


def probe(sidecar: Sidecar, *page: str) -> subprocess.CompletedProcess:
    return run("probe", *page, MAIL_SIDECAR_ADMIN_PORT=str(sidecar.admin_port))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# Tokens and identities that come and go.


def test_a_token_that_is_swapped_in_is_used_for_the_next_message(sidecar, identities, relay, make_token):
    assert sidecar.send().code == 250
    fresh = make_token()
    relay.accepted_tokens = {fresh}
    identities.replace_token(IDENTITY, fresh)
    until(lambda: '"generation":2' in sidecar.log(), "the sidecar has read the new token", seconds=10)
    assert sidecar.send().code == 250
    assert relay.tokens == make_token.made
    assert len(relay.mails) == 2


def test_messages_go_on_through_five_swaps_without_one_lost_or_doubled(sidecar, identities, relay, make_token):
    for number in range(5):
        for part in range(3):
            answer = sidecar.send(message=f"From: {MAILBOX}\r\nSubject: {number}.{part}\r\n\r\n")
            assert answer.code == 250, answer
        fresh = make_token()
        relay.accepted_tokens = {*make_token.made[-2:]}
        identities.replace_token(IDENTITY, fresh)
    subjects = [line for mail in relay.mails for line in mail.body.split(b"\r\n") if line.startswith(b"Subject")]
    assert subjects == [b"Subject: %d.%d" % (number, part) for number in range(5) for part in range(3)]


def test_an_identity_that_comes_later_is_found(identities, settings, make_token, start_sidecar):
    sidecar = start_sidecar()
    answer = sidecar.send()
    assert (answer.code, answer.enhanced) == (451, "4.7.0")
    assert "IdentityMissing" in answer.text
    assert '"no mail can be sent as this identity yet"' in sidecar.log()
    identities.put(IDENTITY, settings, make_token())
    assert sidecar.send().code == 250


def test_a_folder_that_is_mounted_later_is_found(tmp_path, settings, make_token):
    base = tmp_path / "mounted-later"
    sidecar = Sidecar(tmp_path / "sidecar", base)
    try:
        assert sidecar.send().code == 451
        IdentityFolder(base).put(IDENTITY, settings, make_token())
        assert sidecar.send().code == 250
    finally:
        assert sidecar.stop() == 0


def test_a_living_token_is_used_on_when_its_secret_has_gone(sidecar, identities):
    identities.remove(IDENTITY)
    until(lambda: "last_state_in_use" in sidecar.log(), "the sidecar has seen that the Secret is gone", seconds=10)
    assert sidecar.send().code == 250


# The end.


def test_sigterm_with_nobody_there_ends_it(sidecar):
    assert sidecar.stop() == 0
    assert "stopped" in sidecar.log()
    assert "left behind" not in sidecar.log()


def test_sigterm_lets_a_message_under_way_be_answered(sidecar, relay):
    hold = Hold()
    relay.once("dot", hold)
    app = sidecar.begin()
    assert hold.reached.wait(20)
    sidecar.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in sidecar.log(), "the sidecar has been told to stop", seconds=10)
    hold.release()
    assert app.getreply()[0] == 250
    app.quit()
    assert sidecar.process.wait(20) == 0
    assert "left behind" not in sidecar.log()


def test_an_app_that_stops_at_the_same_time_can_still_send(sidecar, relay):
    app = sidecar.connect()
    sidecar.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in sidecar.log(), "the sidecar has been told to stop", seconds=10)
    assert sidecar.send().code == 250
    assert app.sendmail(MAILBOX, "a@example.test", "last words") == {}
    app.quit()
    assert sidecar.process.wait(20) == 0
    assert len(relay.mails) == 2


def test_a_second_signal_ends_it_at_once_and_names_what_is_left_behind(sidecar, relay):
    hold = Hold()
    relay.once("dot", hold)
    app = sidecar.begin()
    assert hold.reached.wait(20)

    def ended_by_another_signal():
        sidecar.process.send_signal(signal.SIGTERM)
        return sidecar.process.poll() is not None

    until(ended_by_another_signal, "the sidecar has ended", seconds=10)
    assert sidecar.process.returncode == 0
    app.close()
    assert "message left behind" in sidecar.log()
    assert '"to":"a***@example.test"' in sidecar.log()


# What it shows.


def test_the_probe_says_whether_it_serves(start_sidecar):
    sidecar = start_sidecar()
    for page in ([], ["startup"], ["live"]):
        assert probe(sidecar, *page).returncode == 0
    sidecar.stop()
    gone = probe(sidecar)
    assert gone.returncode == 1
    assert f"127.0.0.1 port {sidecar.admin_port}: Connection refused" in gone.stderr


def test_the_probe_says_why_it_could_not_send(identities, settings, make_token, start_sidecar):
    sidecar = start_sidecar()
    unready = probe(sidecar, "ready")
    assert unready.returncode == 1
    assert "IdentityMissing" in unready.stderr
    with pytest.raises(urllib.error.HTTPError, match="503"):
        sidecar.get("/readyz")
    identities.put(IDENTITY, settings, make_token())
    assert probe(sidecar, "ready").returncode == 0


def test_the_probe_gives_up_on_a_port_where_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        late = run("probe", MAIL_SIDECAR_ADMIN_PORT=str(silent.getsockname()[1]))
    assert late.returncode == 1
    assert "no answer in time" in late.stderr


def test_metrics_tell_what_happened(sidecar):
    assert sidecar.metric('mail_sidecar_messages_total{result="accepted"}') == 0
    assert sidecar.send().code == 250
    assert sidecar.send(sender="ceo@contoso.test").code == 550
    assert sidecar.metric('mail_sidecar_messages_total{result="accepted"}') == 1
    assert sidecar.metric("mail_sidecar_delivery_duration_seconds_count") == 1
    assert sidecar.metric('mail_sidecar_upstream_connections{state="idle"}') == 1
    assert 0 < sidecar.metric('mail_sidecar_token_age_seconds{identity="billing"}') < 300
    assert sidecar.metric("mail_sidecar_ambiguous_total") == 0


def test_each_message_is_one_line_of_the_log_without_its_addresses(sidecar):
    sidecar.send(message=f"From: {MAILBOX}\r\nMessage-ID: <invoice-4711@app>\r\n\r\n")
    lines = [line for line in sidecar.log().splitlines() if "<invoice-4711@app>" in line]
    assert len(lines) == 1
    assert '"message":"message accepted"' in lines[0]
    assert '"reply":"250 2.0.0 Ok: queued as AFE488F59"' in lines[0]
    assert MAILBOX not in lines[0]
    assert "a@example.test" not in lines[0]


def test_it_leaves_no_core_file(sidecar):
    limits = Path(f"/proc/{sidecar.process.pid}/limits").read_text().splitlines()
    line = next(line for line in limits if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]


# What it is told.


@pytest.mark.parametrize("port", ["smtp", "admin"])
def test_a_port_that_is_taken_is_named(tmp_path, port):
    ports = {"MAIL_SIDECAR_SMTP_PORT": str(free_port()), "MAIL_SIDECAR_ADMIN_PORT": str(free_port())}
    taken = ports[f"MAIL_SIDECAR_{port.upper()}_PORT"]
    with socket.create_server(("127.0.0.1", int(taken))):
        done = run(MAIL_SIDECAR_IDENTITY=IDENTITY, MAIL_SIDECAR_SPOOL_DIR=str(tmp_path), **ports)
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert taken in done.stderr


def test_an_environment_that_is_wrong_is_told_in_full():
    done = run(MAIL_SIDECAR_SMTP_PORT="smtp", MAIL_SIDECAR_ACCEPT_AUTH="maybe")
    assert done.returncode == 2
    assert "MAIL_SIDECAR_IDENTITY is not set: it must be the name of a MailIdentity" in done.stderr
    assert "MAIL_SIDECAR_SMTP_PORT is 'smtp': it must be a port number" in done.stderr
    assert "MAIL_SIDECAR_ACCEPT_AUTH is 'maybe': it must be true or false" in done.stderr


def test_a_command_that_it_does_not_know_shows_those_it_does():
    done = run("serve")
    assert done.returncode == 2
    assert "'serve' is no command" in done.stderr
    assert "mail-sidecar probe" in done.stderr


def test_it_knows_its_version():
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.count(".") == 2


def test_auth_is_offered_only_to_an_app_that_insists(identities, settings, make_token, start_sidecar):
    identities.put(IDENTITY, settings, make_token())
    assert not start_sidecar().connect().has_extn("auth")
    app = start_sidecar(environment={"MAIL_SIDECAR_ACCEPT_AUTH": "true"}).connect()
    app.login("anybody", "anything")
    assert app.sendmail(MAILBOX, "a@example.test", "hello") == {}
    app.quit()


def test_what_an_app_logs_in_with_is_in_no_log(identities, settings, make_token, start_sidecar):
    name, password = "shop-login", "a real one by mistake"
    identities.put(IDENTITY, settings, make_token())
    sidecar = start_sidecar(environment={"MAIL_SIDECAR_ACCEPT_AUTH": "true", "MAIL_SIDECAR_LOG_LEVEL": "debug"})
    for mechanism in ("plain", "login"):
        app = sidecar.connect()
        app.user, app.password = name, password
        assert app.auth(mechanism, getattr(app, f"auth_{mechanism}"))[0] == 235
        assert app.sendmail(MAILBOX, "a@example.test", "hello") == {}
        app.quit()
    forms = {name, password, *(encoded(text) for text in (name, password, f"\0{name}\0{password}"))}
    hasty = sidecar.connect()
    hasty.send(f"AUTH LOGIN\r\n{encoded(name)}\r\n{encoded(password)}\r\n")
    assert hasty.getreply()[0] == 554
    until(lambda: "cut off" in sidecar.log(), "the hasty one is told of", seconds=10)
    shown = sidecar.log() + sidecar.get("/metrics")
    assert [form for form in forms if form in shown] == []


# Bodies on disk.


def test_a_large_message_passes_through_the_spool_and_leaves_nothing_there(sidecar, relay, tmp_path):
    large = f"From: {MAILBOX}\r\n\r\n" + ("x" * 76 + "\r\n") * 40_000
    assert sidecar.send(message=large).code == 250
    assert relay.mails[0].body.endswith(large.encode())
    assert list((tmp_path / "sidecar-0/spool").iterdir()) == []


def test_a_large_message_without_a_spool_is_deferred(sidecar, tmp_path):
    (tmp_path / "sidecar-0/spool").rmdir()
    answer = sidecar.send(message=f"From: {MAILBOX}\r\n\r\n" + ("x" * 76 + "\r\n") * 2_000)
    assert (answer.code, answer.enhanced) == (452, "4.3.1")
    assert sidecar.send().code == 250
