"""clang-tidy over the files that changed since the commit named in .ci/lint-baseline, or over all."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from repository import ROOT, SIDES, files, run

BASELINE = ROOT / ".ci/lint-baseline"
BUILDS = ("asan", "dev")
# Left to --all: these families follow paths through functions, which takes most of the time.
SLOW = "-clang-analyzer-*,-bugprone-unchecked-optional-access,-misc-const-correctness"


def database() -> Path:
    """A build folder with compile_commands.json; configures one where there is none."""
    for preset in BUILDS:
        if (ROOT / "build" / preset / "compile_commands.json").is_file():
            return ROOT / "build" / preset
    done = run("cmake", "--preset", BUILDS[0])
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return ROOT / "build" / BUILDS[0]


def baseline() -> str:
    lines = [line.split("#")[0].strip() for line in BASELINE.read_text().splitlines()]
    return next(line for line in lines if line)


def changed() -> list[Path]:
    """C++ files that differ from the baseline commit, committed or not."""
    commit = baseline()
    done = run("git", "diff", "--name-only", "--diff-filter=d", "-z", commit, "--")
    if done.returncode:
        raise RuntimeError(f".ci/lint-baseline names {commit}, which this clone doesn't have: {done.stderr.strip()}")
    untracked = run("git", "ls-files", "--others", "--exclude-standard", "-z").stdout
    names = {Path(name) for name in (done.stdout + untracked).split("\0") if name}
    return sorted(path for path in names if path.suffix in (".cpp", ".hpp"))


def translation_units(paths: list[Path], compiled: set[Path]) -> list[Path]:
    """What to compile so that each path is seen: a source itself; for a header its source or its first user."""
    sources = [path for path in files(".cpp", under=(*SIDES, "tests", "bench")) if path in compiled]
    units = set()
    for path in paths:
        if path in compiled:
            units.add(path)
        elif path.with_suffix(".cpp") in compiled:
            units.add(path.with_suffix(".cpp"))
        elif path.suffix == ".hpp":
            include = f'#include "{path}"'
            user = next((source for source in sources if include in (ROOT / source).read_text()), None)
            units.update([user] if user else [])
    return sorted(units)


def findings(everything: bool) -> list[str]:
    """What clang-tidy says, each finding once."""
    build = database()
    compiled = {
        Path(entry["file"]).relative_to(ROOT)
        for entry in json.loads((build / "compile_commands.json").read_text())
        if Path(entry["file"]).is_relative_to(ROOT) and not Path(entry["file"]).is_relative_to(build)
    }
    units = sorted(compiled) if everything else translation_units(changed(), compiled)
    options = [] if everything else [f"--checks={SLOW}"]

    def check(unit: Path) -> list[str]:
        done = run("clang-tidy-19", "-p", build, "--quiet", *options, ROOT / unit)
        blocks = re.split(rf"^(?={re.escape(str(ROOT))}/\S+:\d+:\d+: (?:warning|error))", done.stdout, flags=re.M)
        said = [block.replace(f"{ROOT}/", "").strip() for block in blocks if block.strip()]
        return said if said or not done.returncode else [f"{unit}: {done.stderr.strip()}"]

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        said = [block for blocks in pool.map(check, units) for block in blocks]
    return list(dict.fromkeys(said))
