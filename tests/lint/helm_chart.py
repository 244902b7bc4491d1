"""What helm says of the chart, and that it refuses what a person misspells."""

import re
from pathlib import Path

from repository import ROOT, run

CHART = Path("charts/mail-identity-operator")
# Each is wrong in one way and must be refused with the words beside it.
REFUSED = (
    ("--set", "imagee.tag=1", "imagee"),
    ("--set", "webhook.replicaz=3", "replicaz"),
    ("--set-json", 'allowedHosts="one"', "allowedHosts"),
    ("--set", "webhook.timeoutSeconds=60", "timeoutSeconds"),
)


def helm(*arguments: str | Path):
    return run("bin/testbed", "helm", *arguments)


def version_findings() -> list[str]:
    """One version everywhere: CMakeLists.txt, the chart's version and its appVersion."""
    project = re.search(r"project\(\w+ VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    chart = (ROOT / CHART / "Chart.yaml").read_text()
    return [
        f"{CHART}/Chart.yaml: {key} is {found[1]}, CMakeLists.txt says {project}"
        for key in ("version", "appVersion")
        if (found := re.search(rf'^{key}: "?([\w.]+)"?$', chart, re.M)) and found[1] != project
    ]


def findings() -> list[str]:
    wrong = version_findings()
    for command in (("lint", "--strict", CHART), ("template", "mail-identity-operator", CHART)):
        done = helm(*command)
        if done.returncode:
            wrong.append((done.stdout + done.stderr).strip())
    for option, value, words in REFUSED:
        done = helm("template", "mail-identity-operator", CHART, option, value)
        if not done.returncode or words not in done.stderr:
            wrong.append(f"{CHART}: {option} {value} must be refused with a word about {words}")
    return wrong
