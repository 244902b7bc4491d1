"""What the app is told when the relay goes wrong, and that no credential ever leaves TLS."""

import select
import time

import pytest
from credentials import Credentials
from fakes.authority import Authority
from fakes.fault_relay import STEPS, Cut, FaultRelay, Hold, Say
from fakes.recorder import Recorder
from sidecar_process import IDENTITY, MAILBOX, MESSAGE, free_port, identity_settings
from waiting import until

DEADLINE = 0.8
BEFORE_THE_DOT = [step for step in STEPS if step not in ("tls", "dot")]


class Pod:
    """One sidecar with one identity, its relay, and a recorder between the two."""

    def __init__(self, relay, recorder, identities, authority, make_token, start_sidecar):
        self.relay, self.recorder = relay, recorder
        self.identities, self.make_token = identities, make_token
        self.token = make_token()
        self._authority, self._start = authority, start_sidecar
        self.sidecar = None

    def start(self, **settings):
        arguments = {"port": self.recorder.port, "ca": self._authority.pem, "deadline": DEADLINE} | settings
        self.identities.put(IDENTITY, identity_settings(**arguments), self.token)
        self.sidecar = self._start()
        return self

    def send(self, *recipients, **more):
        if not self.sidecar:
            self.start()
        return self.sidecar.send(*recipients, **more)

    def rotate(self) -> str:
        self.token = self.make_token()
        self.identities.replace_token(IDENTITY, self.token)
        return self.token


@pytest.fixture
def make_relay(authority):
    made = []

    def make(*names: str, by=None) -> FaultRelay:
        made.append(FaultRelay((by or authority).issue(*(names or ("localhost",)))))
        return made[-1]

    yield make
    for relay in made:
        relay.close()


@pytest.fixture
def make_pod(make_relay, identities, authority, make_token, start_sidecar):
    made = []

    def make(relay=None) -> Pod:
        relay = relay or make_relay()
        made.append(Pod(relay, Recorder(relay.port), identities, authority, make_token, start_sidecar))
        return made[-1]

    yield make
    for pod in made:
        pod.recorder.close()
        tokens = Credentials(**{f"token {number}": token for number, token in enumerate(make_token.made)})
        assert not tokens.found_in(pod.recorder.octets), "on the wire"
        assert not tokens.found_in(pod.relay.clear), "at the relay, before TLS"
        assert not tokens.found_in(pod.sidecar.log().encode()), "in the log"
        assert not tokens.found_in(pod.sidecar.get("/metrics").encode()), "in the metrics"


@pytest.fixture
def pod(make_pod) -> Pod:
    return make_pod()


def assert_nothing_left(pod) -> None:
    assert pod.relay.mails == []
    assert pod.relay.tokens == []
    assert pod.relay.inside == b""


def test_a_good_relay_takes_the_message(pod):
    told = pod.send("a@example.test", "b@example.test")
    assert str(told) == "250 2.0.0 Ok: queued as AFE488F59"
    [mail] = pod.relay.mails
    assert (mail.sender, mail.recipients) == (MAILBOX, ("a@example.test", "b@example.test"))
    assert mail.body.endswith(b"\r\n\r\nPlease pay.\r\n")
    assert pod.relay.tokens == [pod.token]
    # The search that all these tests rely on does find the token where it is allowed to be.
    assert Credentials(token=pod.token).found_in(pod.relay.inside)
    assert len(pod.recorder.octets) > 4000


def test_a_relay_that_is_down(pod):
    told = pod.start(port=free_port()).send()
    assert told.code == 451
    assert told.enhanced == "4.4.1"
    assert "RelayUnreachable" in told.text


def test_a_relay_that_comes_back(pod):
    port = free_port()
    assert pod.start(port=port).send().code == 451
    back = Recorder(pod.relay.port, port)
    assert pod.send().code == 250
    back.close()


@pytest.mark.parametrize("whose", ["another name", "a stranger's"])
def test_a_certificate_that_can_not_be_trusted(whose, make_relay, make_pod, tmp_path):
    relay = make_relay("other.test") if whose == "another name" else make_relay(by=Authority(tmp_path / "stranger"))
    pod = make_pod(relay)
    told = pod.send()
    assert (told.code, told.enhanced) == (451, "4.7.5")
    assert "RelayCertificate" in told.text
    assert_nothing_left(pod)


def test_no_starttls(pod):
    pod.relay.always("ehlo", Say("250-relay.test\r\n250 AUTH XOAUTH2 PLAIN"))
    told = pod.send()
    assert told.code == 451
    assert "StartTlsMissing" in told.text
    assert_nothing_left(pod)


@pytest.mark.parametrize("injected", ["\r\n250 2.0.0 injected", "<pause>235 2.7.0 injected"])
def test_octets_behind_starttls(pod, injected):
    pod.relay.always("starttls", Say("220 2.0.0 Ready" + injected))
    told = pod.send()
    assert told.code == 451
    # Octets that come while the handshake is under way break it.
    assert "StartTlsInjection" in told.text or ("<pause>" in injected and "RelayTlsFailed" in told.text)
    assert_nothing_left(pod)


def test_no_login_mechanism_that_we_have(pod):
    pod.relay.always("ehlo_tls", Say("250-relay.test\r\n250 AUTH PLAIN LOGIN"))
    told = pod.send()
    assert told.code == 451
    assert "MechanismMissing" in told.text
    assert "PLAIN LOGIN" in told.text
    assert pod.relay.tokens == []


def test_a_rejected_token_suspends_the_identity_until_it_changes(pod):
    pod.relay.accepted_tokens = set()
    told = pod.send()
    assert told.code == 451
    assert "535 5.7.3 Authentication unsuccessful" in told.text
    assert pod.relay.tokens == [pod.token]
    before = pod.relay.connections

    again = pod.send()
    assert again.code == 451
    assert "535 5.7.3 Authentication unsuccessful" in again.text
    assert pod.relay.connections == before

    pod.relay.accepted_tokens = {pod.rotate()}
    assert pod.send().code == 250
    assert len(pod.relay.mails) == 1


def test_a_token_that_is_rotated_while_the_relay_rejects_it(pod):
    hold = Hold(Say("535 5.7.3 Authentication unsuccessful"))
    pod.relay.once("response", hold)
    pod.start(deadline=20)
    old = pod.token
    with pod.sidecar.begin() as app:
        assert hold.reached.wait(10)
        new = pod.rotate()
        hold.release()
        assert app.getreply()[0] == 250
    assert pod.relay.tokens == [old, new]
    assert len(pod.relay.mails) == 1


def test_a_token_that_is_rotated_between_two_messages(pod):
    first = pod.start().token
    assert pod.send().code == 250
    second = pod.rotate()
    pod.relay.accepted_tokens = {second}
    until(lambda: pod.send().code == 250 and second in pod.relay.tokens, "the new token is used", seconds=10)
    assert pod.relay.tokens == [first, second]


# When, what the relay says always, what the app is told: 451 quotes it, else it is word for word; the reason.
REFUSALS = [
    ("greeting", "421 4.3.2 Service not active", 451, "RelayBusy"),
    ("greeting", "421 4.7.0 Error: too many connections from 203.0.113.7", 451, "RelayConnectionLimit"),
    ("greeting", "554 5.7.1 Access denied", 451, "RelayCommandRejected"),
    ("ehlo", "421 4.3.2 Service not active", 451, "RelayBusy"),
    ("ehlo", "451 4.3.0 later", 451, "RelayBusy"),
    ("ehlo", "502 5.5.1 Command not implemented", 451, "RelayCommandRejected"),
    ("starttls", "454 4.7.0 TLS not available", 451, "RelayBusy"),
    ("starttls", "421 4.3.2 Service not active", 451, "RelayBusy"),
    ("starttls", "502 5.5.1 Command not implemented", 451, "StartTlsMissing"),
    ("ehlo_tls", "421 4.3.2 Service not active", 451, "RelayBusy"),
    ("ehlo_tls", "501 5.5.4 Invalid domain name", 451, "RelayCommandRejected"),
    ("auth", "421 4.7.0 Too many attempts", 451, "LoginThrottled"),
    ("auth", "454 4.7.0 Temporary authentication failure", 451, "LoginUnavailable"),
    ("auth", "504 5.7.4 Unrecognized authentication type", 451, "RelayCommandRejected"),
    ("response", "454 4.7.0 Temporary authentication failure", 451, "LoginUnavailable"),
    ("response", "454 4.7.0 Too many login attempts", 451, "LoginThrottled"),
    ("response", "421 4.3.2 Service not active", 451, "LoginUnavailable"),
    ("response", "535 5.7.8 Error: authentication failed", 451, "LoginRejected"),
    ("response", "535 5.7.139 SmtpClientAuthentication is disabled for the Mailbox", 451, "SmtpAuthDisabled"),
    ("response", "535 5.7.139 user is locked by security defaults", 451, "LoginPolicyBlocked"),
    ("response", "534 5.7.9 Please log in via your web browser", 451, "LoginPolicyBlocked"),
    ("response", "500 5.5.2 Line too long", 451, "RelayCommandRejected"),
    ("mail", "421 4.4.2 Message submission rate for this client has exceeded the limit", 451, "RelayRateLimit"),
    ("mail", "432 4.3.2 Concurrent connections limit exceeded", 451, "RelayConnectionLimit"),
    ("mail", "451 4.7.500 Server busy", 451, "RelayRateLimit"),
    ("mail", "452 4.3.1 Insufficient system resources", 451, "RelayBusy"),
    ("mail", "530 5.7.57 Client was not authenticated to send mail", 451, "NotAuthenticated"),
    ("mail", "501 5.5.4 Invalid arguments", 451, "RelayCommandRejected"),
    ("mail", "550 5.7.501 Access denied, spam abuse detected", 451, "AccountBlocked"),
    ("mail", "552 5.3.4 Message size exceeds fixed maximum", 552, "MessageTooLarge"),
    ("mail", "553 5.7.1 Sender address rejected: not owned by user", 553, "SendAsDenied"),
    ("mail", "550 5.9.9 something new", 550, "SenderRejected"),
    ("rcpt", "421 4.3.2 Service not active", 451, "RelayBusy"),
    ("rcpt", "450 4.7.1 Greylisted", 451, "RelayBusy"),
    ("rcpt", "452 4.5.3 Too many recipients", 452, "TooManyRecipients"),
    ("rcpt", "503 5.5.1 Bad sequence of commands", 451, "RelayCommandRejected"),
    ("rcpt", "550 5.1.1 User unknown", 550, "RecipientRejected"),
    ("rcpt", "552 5.2.2 Recipient's mailbox full", 552, "RecipientRejected"),
    ("rcpt", "550 5.2.121 Recipient's per hour message receive limit exceeded", 451, "RecipientRateLimit"),
    ("rcpt", "550 5.9.9 something new", 550, "RecipientRejected"),
    ("data", "421 4.4.2 Connection dropped", 451, "RelayClosed"),
    ("data", "451 4.3.0 later", 451, "RelayBusy"),
    ("data", "502 5.5.1 Command not implemented", 451, "RelayCommandRejected"),
    ("data", "554 5.9.9 something new", 554, "MessageRejected"),
    ("dot", "421 4.3.2 Service not active", 451, "RelayBusy"),
    ("dot", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", 451, "RelayConnectionLimit"),
    ("dot", "430 4.2.0 STOREDRV; mailbox logon failure", 451, "LoginRejected"),
    ("dot", "451 4.3.0 later", 451, "RelayBusy"),
    ("dot", "500 5.5.2 Syntax error", 451, "RelayCommandRejected"),
    ("dot", "550 5.4.5 Daily user sending limit exceeded", 451, "RelayDailyLimit"),
    ("dot", "554 5.2.0 SubmissionQuotaExceededException", 451, "RelayDailyLimit"),
    ("dot", "554 5.2.2 mailbox full; QuotaExceededException", 451, "MailboxFull"),
    ("dot", "554 5.2.0 OutboundSpamException", 451, "AccountBlocked"),
    ("dot", "554 5.2.252 SendAsDenied; billing not allowed to send as ceo", 554, "SendAsDenied"),
    ("dot", "554 5.2.270 MapiExceptionMaxSubmissionExceeded", 554, "MessageTooLarge"),
    ("dot", "550 5.6.11 Invalid characters", 550, "MessageRejected"),
    ("dot", "554 5.9.9 something new", 554, "MessageRejected"),
]


@pytest.mark.parametrize(("step", "says", "code", "reason"), REFUSALS, ids=[f"{row[0]}-{row[1]}" for row in REFUSALS])
def test_a_refusal(pod, step, says, code, reason):
    pod.relay.always(step, Say(says))
    told = pod.send()
    assert told.code == code
    assert says[4:] in f"{told.enhanced} {told.text}"
    if code == 451:
        assert told.enhanced.startswith("4.")
        assert reason in told.text
        assert says in told.text
    else:
        assert str(told) == says
    assert pod.relay.mails == []
    assert pod.sidecar.metric('mail_sidecar_messages_total{result="unknown"}') == 0


@pytest.mark.parametrize("step", [*BEFORE_THE_DOT, "dot"])
def test_a_refusal_that_passes_within_the_deadline(pod, step):
    pod.relay.once(step, Say("421 4.3.2 Service not active"), Say("451 4.3.0 later"))
    told = pod.start(deadline=20).send()
    assert told.code == 250
    assert len(pod.relay.mails) == 1


@pytest.mark.parametrize("step", [step for step in STEPS if step != "dot"])
def test_a_connection_that_is_always_cut(pod, step):
    pod.relay.always(step, Cut())
    told = pod.send()
    assert told.code == 451
    assert "RelayClosed" in told.text
    assert pod.relay.connections > 1
    assert pod.relay.dots == 0
    assert pod.sidecar.metric("mail_sidecar_ambiguous_total") == 0


@pytest.mark.parametrize("step", [step for step in STEPS if step != "dot"])
def test_a_connection_that_is_cut_once(pod, step):
    pod.relay.once(step, Cut())
    assert pod.start(deadline=20).send().code == 250
    assert len(pod.relay.mails) == 1


@pytest.mark.parametrize("half", ["", "250-2.0.0 Ok: queued"])
def test_a_connection_that_is_cut_behind_the_final_dot(pod, half):
    pod.relay.once("dot", Cut(half))
    told = pod.start(deadline=20).send()
    assert str(told) == "451 4.4.2 delivery state unknown"
    assert pod.relay.dots == 1, "it must not be sent again"
    assert pod.sidecar.metric("mail_sidecar_ambiguous_total") == 1
    assert pod.sidecar.metric('mail_sidecar_messages_total{result="unknown"}') == 1


@pytest.mark.parametrize("step", [*BEFORE_THE_DOT, "tls"])
def test_a_relay_that_falls_silent(pod, step):
    pod.relay.always(step, Hold())
    begin = time.monotonic()
    told = pod.send()
    assert told.code == 451
    assert DEADLINE <= time.monotonic() - begin < DEADLINE + 5
    assert "RelayTimeout" in told.text or "DeadlineExceeded" in told.text
    assert pod.relay.dots == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_relay_that_is_slow_but_answers(pod, step):
    hold = Hold()
    pod.relay.once(step, hold)
    pod.start(deadline=20)
    with pod.sidecar.begin() as app:
        assert hold.reached.wait(10)
        hold.release()
        assert app.getreply()[0] == 250
    assert len(pod.relay.mails) == 1
    assert pod.relay.connections == 1


def test_an_answer_to_the_final_dot_that_comes_behind_the_deadline(pod):
    hold = Hold()
    pod.relay.once("dot", hold)
    pod.start(deadline=0.3)
    with pod.sidecar.begin() as app:
        assert hold.reached.wait(10)
        assert select.select([app.sock], [], [], 1)[0] == [], "an answer came"
        hold.release()
        assert app.getreply()[0] == 250
    assert len(pod.relay.mails) == 1


def test_an_app_that_leaves_before_the_answer_to_the_final_dot(pod):
    hold = Hold()
    pod.relay.once("dot", hold)
    pod.start()
    app = pod.sidecar.begin()
    assert hold.reached.wait(10)
    app.close()
    until(lambda: pod.sidecar.metric("mail_sidecar_ambiguous_total") == 1, "it is counted", seconds=10)
    assert pod.relay.dots == 1


def test_one_refused_recipient_stops_the_message_for_all(pod):
    pod.relay.once("rcpt", Say("250 2.1.5 Ok"), Say("550 5.1.1 User unknown"))
    told = pod.send("a@example.test", "nobody@example.test", "c@example.test")
    assert (told.code, told.enhanced) == (550, "5.1.1")
    assert "User unknown" in told.text
    assert "nobody@example.test" in told.text
    assert pod.relay.dots == 0
    assert pod.send().code == 250
    assert len(pod.relay.mails) == 1


@pytest.mark.parametrize("fault", [Say, Cut])
@pytest.mark.parametrize("step", ["data", "body"])
def test_a_relay_that_refuses_while_the_body_is_on_its_way(pod, step, fault):
    ready = "354 go\r\n" if step == "data" else ""
    pod.relay.always(step, fault(ready + "552 5.3.4 Message too large"))
    pod.start(deadline=20)
    told = pod.send(message=MESSAGE + ("y" * 70 + "\r\n") * 30_000)
    assert str(told) == "552 5.3.4 Message too large"
    assert pod.relay.mails == []


def test_a_relay_without_pipelining(pod):
    pod.relay.always("ehlo_tls", Say("250-relay.test\r\n250 AUTH XOAUTH2"))
    assert pod.send("a@example.test", "b@example.test").code == 250
    assert len(pod.relay.mails) == 1


@pytest.mark.parametrize("says", ["500 5.5.2 command not recognized: {}", "550 5.7.1 bad token {}"])
def test_a_relay_that_quotes_our_credential(pod, says):
    pod.relay.always("response", Say(says.format(pod.token)))
    told = pod.send()
    assert told.code == 451
    assert "***" in told.text
    assert not Credentials(token=pod.token).found_in(str(told).encode())


def test_a_relay_that_talks_nonsense(pod):
    pod.relay.always("greeting", Say("SSH-2.0-OpenSSH_9.2p1"))
    told = pod.send()
    assert told.code == 451
    assert "RelayProtocolError" in told.text
