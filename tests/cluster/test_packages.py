"""bin/packages starts no service of what it installs, and leaves the machine's own rule for that as it was."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from product import ROOT
from waiting import until

# In the place of Debian's: installs nothing, but asks whether a service may be started, as installed packages do.
APT_GET = """#!/bin/sh
[ "$1" = install ] || exit 0
if [ ! -x /usr/sbin/policy-rc.d ]; then echo started >>"$ANSWERS/asked"
elif /usr/sbin/policy-rc.d postfix start; then echo started >>"$ANSWERS/asked"
else echo "not started, $?" >>"$ANSWERS/asked"; fi
[ ! -e "$ANSWERS/hang" ] || exec sleep 600
[ ! -e "$ANSWERS/fail" ]
"""
OWN = "#!/bin/sh\nexit 0\n"


class Machine:
    """This one, with an apt-get that installs nothing and a /usr/sbin of its own for whoever runs on it."""

    def __init__(self, folder: Path):
        self._bin, self.sbin, self.answers = (folder / name for name in ("bin", "sbin", "answers"))
        for each in (self._bin, self.sbin, self.answers):
            each.mkdir()
        (self._bin / "apt-get").write_text(APT_GET)
        (self._bin / "apt-get").chmod(0o755)
        self.policy = self.sbin / "policy-rc.d"
        self._list = folder / "list"
        self._list.write_text("a-package-that-nobody-has\n")

    def install(self) -> subprocess.Popen:
        script = 'mount --bind "$1" /usr/sbin && exec "$2" "$3"'
        argv = ["unshare", "--mount", "sh", "-c", script, "sh", self.sbin, ROOT / "bin/packages", self._list]
        environment = os.environ | {"PATH": f"{self._bin}:/usr/bin:/bin", "ANSWERS": str(self.answers)}
        return subprocess.Popen(argv, env=environment, start_new_session=True)

    def asked(self) -> list[str]:
        file = self.answers / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def rule(self) -> tuple[list[str], bool, str]:
        """All that is in /usr/sbin, and what the rule is."""
        names = sorted(path.name for path in self.sbin.iterdir())
        return names, self.policy.is_symlink(), self.policy.read_text() if self.policy.exists() else ""


@pytest.fixture(params=["no rule", "a rule", "a link to a rule"])
def machine(request, tmp_path) -> Machine:
    """Nothing on it says that services are not to be started."""
    made = Machine(tmp_path)
    rule = made.policy
    if request.param == "a link to a rule":
        rule = tmp_path / "elsewhere"
        made.policy.symlink_to(rule)
    if request.param != "no rule":
        rule.write_text(OWN)
        rule.chmod(0o755)
    return made


@pytest.mark.parametrize("outcome", ["", "fail"])
def test_nothing_is_started_and_the_rule_is_put_back(machine, outcome):
    before = machine.rule()
    if outcome:
        (machine.answers / outcome).touch()
    assert (machine.install().wait(20) != 0) == bool(outcome)
    assert machine.asked() == ["not started, 101"]
    assert machine.rule() == before


def test_the_rule_is_put_back_after_a_run_that_was_killed(machine):
    before = machine.rule()
    (machine.answers / "hang").touch()
    killed = machine.install()
    until(machine.asked, "apt-get runs")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait(20)
    assert machine.rule() != before, "the run was killed too late"

    (machine.answers / "hang").unlink()
    assert machine.install().wait(20) == 0
    assert machine.asked() == ["not started, 101"] * 2
    assert machine.rule() == before
