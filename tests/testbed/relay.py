"""The relay: Postfix's submission service, whose logins Dovecot checks against the token's signature."""

import re
import shutil
from itertools import accumulate
from pathlib import Path

from .namespace import Namespace, connect
from .place import RELAY, RELAY_NAMES, TENANT, Place
from .progress import step

PORT = 587
# The same in front of a sink: no queue, for measurements.
SINK_PORT = 10587
SINK = "127.0.0.1:10588"
AUTH = "127.0.0.1:12345"
# `nobody`, in numbers because the name is the host's affair.
OWNER = 65534

LIMITS = {
    "connections": "smtpd_client_connection_count_limit",
    "messagesPerMinute": "smtpd_client_message_rate_limit",
    "messageSize": "message_size_limit",
}

MASTER = """\
{address}:{port} inet n - n - - smtpd
{address}:{sink_port} inet n - n - - smtpd -o smtpd_proxy_filter={sink} -o smtpd_proxy_options= -o smtpd_tls_loglevel=0
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {logs}/relay.log
maillog_file_prefixes = {logs}
multi_instance_name = postfix-testbed
syslog_name = relay
inet_interfaces = {address}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = {name}
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
smtpd_peername_lookup = no
biff = no
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
default_process_limit = 200
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {pki}/relay.crt
smtpd_tls_key_file = {pki}/relay.key
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:{auth}
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
# Every address has its mail put into one Maildir; nothing is sent on.
virtual_mailbox_domains = static:all
virtual_mailbox_base = {mail}
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
"""

DOVECOT = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {logs}/dovecot.log
instance_name = testbed
protocols = none
ssl = no
auth_mechanisms = xoauth2 oauthbearer
# A login is logged with what its token says of itself, see pass_attrs.
auth_debug = yes
auth_failure_delay = 0
# An app's token names no mailbox: the login's domain is compared with the token's, the login gets its name back then.
auth_username_format = %Ld
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.ext
}}
userdb {{
  driver = static
  args = allow_all_users=yes uid={owner} gid={owner} home={folder}
}}
service auth {{
  inet_listener {{
    address = {host}
    port = {port}
  }}
}}
service anvil {{
  chroot =
  # Nobody waits because somebody else was refused before: all tests come from one address.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

# The signature by the key of that name, the issuer, the expiry, and that the token is for this relay and this domain.
OAUTH2 = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
issuers = https://login.microsoftonline.com/{tenant}/v2.0
client_id = https://outlook.office365.com
username_attribute = domain
pass_attrs = jti=%{{oauth2:jti}} user=%{{orig_user}}
"""


class Relay:
    """What a test asks the relay, and tells it."""

    def __init__(self, namespace: Namespace):
        self._namespace = namespace

    def stop(self) -> None:
        """Nobody listens any more, and connections that were open are cut."""
        # What was started is a script that waits for Postfix; a signal would end the script alone.
        self._namespace.inside("postfix", "-c", self._namespace.place.state / "relay", "abort")
        self._namespace.stop("relay", number=0)

    def start(self) -> None:
        up(self._namespace)

    def limit(self, **limits: int) -> None:
        """connections, messagesPerMinute, messageSize; 0 takes one away."""
        folder = self._namespace.place.state / "relay"
        words = [f"{LIMITS[name]}={number}" for name, number in limits.items()]
        for command in (("postconf", "-c", folder, "-e", *words), ("postfix", "-c", folder, "reload")):
            done = self._namespace.inside(*command)
            assert done.returncode == 0, done.stderr

    def logged_in_tokens(self) -> set[str]:
        """The jti of every token that was good for a login."""
        log = self._namespace.place.logs / "dovecot.log"
        return set(re.findall(r"client passdb out: OK\t.*?\bjti=([^\t\n]+)", log.read_text(errors="replace")))

    def lines(self, since: int = 0) -> list[str]:
        """What Postfix logged from a position on."""
        with (self._namespace.place.logs / "relay.log").open(errors="replace") as log:
            log.seek(since)
            return log.read().splitlines()

    def position(self) -> int:
        """The end of Postfix's log, to be given as `since`."""
        return (self._namespace.place.logs / "relay.log").stat().st_size

    def most_connections(self, since: int, mailbox: str) -> int:
        """How many connections were open at once on which this mailbox sent."""
        begun: dict[str, int] = {}
        sending: set[str] = set()
        sessions = []
        for number, line in enumerate(self.lines(since)):
            found = re.search(r"smtpd\[(\d+)\]: (connect|disconnect|\S+: client=.*sasl_username=(\S+))", line)
            if not found:
                continue
            pid, what, user = found.groups()
            if what == "connect":
                begun[pid] = number
            elif what == "disconnect":
                if pid in sending and pid in begun:
                    sessions += [(begun[pid], 1), (number, -1)]
                sending.discard(pid)
            elif user == mailbox:
                sending.add(pid)
        sessions += [(begun[pid], 1) for pid in sending if pid in begun]
        return max(accumulate(change for _, change in sorted(sessions)), default=0)


class Maildir:
    """The one Maildir, by recipient. A file is read once."""

    def __init__(self, folder: Path):
        self._new = folder / "new"
        self._recipients: dict[str, str] = {}

    def mails(self, recipient: str) -> list[bytes]:
        """The recipient's mails in the order of their arrival, whole."""
        if not self._new.is_dir():
            return []
        names = sorted(self._new.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in names:
            if path.name not in self._recipients:
                with path.open("rb") as file:
                    found = re.search(rb"^X-Original-To: (.*)$", file.read(4096), re.M)
                self._recipients[path.name] = found[1].decode() if found else ""
        return [path.read_bytes() for path in names if self._recipients[path.name] == recipient]


def lay(place: Place) -> None:
    """Configuration, keys and folders."""
    relay, dovecot = place.state / "relay", place.state / "dovecot"
    for folder in (relay / "queue", relay / "data", dovecot / "keys/default/RS256", place.maildir.parent):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.chown(relay / "data", "postfix")
    shutil.chown(place.maildir.parent, OWNER, OWNER)
    shutil.copy(place.pki / "tokens.pub", dovecot / "keys/default/RS256/k1")
    paths = {"logs": place.logs, "pki": place.pki, "mail": place.maildir.parent, "owner": OWNER}
    host, port = AUTH.split(":")
    (relay / "main.cf").write_text(MAIN.format(folder=relay, address=RELAY, name=RELAY_NAMES[0], auth=AUTH, **paths))
    (relay / "master.cf").write_text(MASTER.format(address=RELAY, port=PORT, sink_port=SINK_PORT, sink=SINK))
    (dovecot / "dovecot.conf").write_text(DOVECOT.format(folder=dovecot, host=host, port=port, **paths))
    (dovecot / "oauth2.ext").write_text(OAUTH2.format(folder=dovecot, tenant=TENANT))


def ready(place: Place, host: str, port: int) -> bool:
    try:
        connect(place, host, port).close()
    except OSError:
        return False
    return True


def up(namespace: Namespace) -> None:
    place = namespace.place
    if all(namespace.running(name) for name in ("dovecot", "sink", "relay")):
        return
    with step("relay"):
        if not (place.state / "relay/main.cf").exists():
            lay(place)
        namespace.start("dovecot", "dovecot", "-F", "-c", place.state / "dovecot/dovecot.conf")
        host, port = AUTH.split(":")
        namespace.wait("dovecot", lambda: ready(place, host, int(port)), 30)
        namespace.start("sink", "smtp-sink", "-u", "nobody", "-m", "1000", SINK, "1000")
        if not namespace.running("relay") and ready(place, RELAY, PORT):
            # Its script was killed, and it goes on alone.
            namespace.inside("postfix", "-c", place.state / "relay", "stop")
        namespace.start("relay", "postfix", "-c", place.state / "relay", "start-fg")
        namespace.wait("relay", lambda: ready(place, RELAY, PORT), 30)
