"""A login at the testbed's relay, as whoever has a token does it."""

import base64
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

GRANTED = 235
REFUSED = 535

# What a client says of itself (RFC 7628 section 3.1 for the second).
WORDS = {
    "XOAUTH2": "user={mailbox}\1auth=Bearer {token}\1\1",
    "OAUTHBEARER": "n,a={mailbox},\1auth=Bearer {token}\1\1",
}


@contextmanager
def encrypted(bed, host: str) -> Iterator[smtplib.SMTP]:
    """A connection to the relay behind its STARTTLS."""

    class Inside(smtplib.SMTP):
        def _get_socket(self, host, port, timeout):
            return bed.connect(host, port, timeout)

    with Inside(host, 587, local_hostname="client.test", timeout=20) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth"), "no login in clear"
        smtp.starttls(context=ssl.create_default_context(cafile=str(bed.place.ca)))
        smtp.ehlo()
        yield smtp


def log_in(bed, mailbox: str, token: str, mechanism: str = "XOAUTH2", host: str = "relay.testbed.test") -> int:
    """The relay's answer to the login: GRANTED, or why not."""
    with encrypted(bed, host) as smtp:
        # In two steps: a token of 2 kB is too long for the command's own line.
        code, text = smtp.docmd("AUTH", mechanism)
        assert code == 334, (code, text)
        words = WORDS[mechanism].format(mailbox=mailbox, token=token)
        code, text = smtp.docmd(base64.b64encode(words.encode()).decode())
        # The reason, as JSON, which the client must answer before it is told that it is refused.
        return smtp.docmd("")[0] if code == 334 else code
