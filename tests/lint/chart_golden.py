"""The chart as helm renders it, compared with tests/golden/chart: every change of what is installed is seen in review.

`UPDATE_GOLDEN=1 bin/lint chart` writes the files anew.
"""

import difflib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from repository import ROOT, run

CHART = Path("charts/mail-identity-operator")
GOLDEN = Path("tests/golden/chart")
EVERY_VALUE = GOLDEN / "every-value.json"
# By the golden file's name: release, namespace and values. The second release is named otherwise than the chart.
RENDERED = {
    "defaults": ("mail-identity-operator", "mail-system"),
    "every-value": ("mail", "platform", "--values", EVERY_VALUE),
}
# What a parent chart hands down; no value of ours.
FOREIGN = {"global"}


def settings(schema: dict, definitions: dict, path: str = "") -> Iterator[str]:
    """The path of every value that the schema names, down to those that are free in form."""
    schema = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "properties" not in schema:
        yield path
    for name, below in schema.get("properties", {}).items():
        if path or name not in FOREIGN:
            yield from settings(below, definitions, f"{path}.{name}" if path else name)


def is_set(values: dict, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(values, dict) or name not in values:
            return False
        values = values[name]
    return True


def forgotten() -> list[str]:
    """Values of the chart that the golden file of every value leaves out."""
    schema = json.loads((ROOT / CHART / "values.schema.json").read_text())
    values = json.loads((ROOT / EVERY_VALUE).read_text())
    return [path for path in settings(schema, schema["definitions"]) if not is_set(values, path)]


def timeless(rendered: str) -> str:
    """Without what changes by itself: the version; and of a CRD only the head, as the check crds compares the rest."""
    version = re.search(r"^version: (\S+)$", (ROOT / CHART / "Chart.yaml").read_text(), re.M)[1]
    parts = [
        part.partition("\nspec:")[0] + "\n" if "\nkind: CustomResourceDefinition\n" in part else part
        for part in re.split(r"(?m)^---\n", rendered)
    ]
    return "---\n".join(parts).replace(version, "VERSION")


def findings() -> list[str]:
    wrong = [f"{EVERY_VALUE}: {path} is not set; give it another value than its default" for path in forgotten()]
    for name, (release, namespace, *options) in RENDERED.items():
        done = run("bin/testbed", "helm", "template", release, CHART, "--namespace", namespace, *options)
        if done.returncode:
            wrong.append((done.stdout + done.stderr).strip())
            continue
        text, golden = timeless(done.stdout), GOLDEN / f"{name}.yaml"
        if "UPDATE_GOLDEN" in os.environ:
            (ROOT / golden).write_text(text)
        known = (ROOT / golden).read_text() if (ROOT / golden).is_file() else ""
        if text != known:
            lines = difflib.unified_diff(
                known.splitlines(), text.splitlines(), str(golden), "rendered now", lineterm=""
            )
            wrong.append("\n".join([*lines, f"if that is meant: UPDATE_GOLDEN=1 bin/lint chart, and commit {golden}"]))
    return wrong
