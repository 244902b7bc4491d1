"""The chart's templates of the CRDs, generated from crds/, so that there is one source.

Run as a program it writes them; the lint compares.
"""

from pathlib import Path

from repository import ROOT

TEMPLATES = Path("charts/mail-identity-operator/templates")
KEEP = "  {{- if .Values.crds.keep }}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{- end }}\n"


def template(crd: str, source: Path) -> str:
    """Wraps a CRD for helm: made where crds.enabled, kept at uninstall, its own braces taken literally."""
    head, metadata, rest = crd.partition("metadata:\n")
    if not metadata or "\n  annotations:" in rest.split("\nspec:", 1)[0]:
        raise ValueError(f"{source} must have metadata without annotations: the chart adds its own")
    literal = rest.replace("{{", '{{ "{{" }}').rstrip("\n")
    return (
        f"{{{{- /* Generated from {source} by bin/format; edit that file. */ -}}}}\n"
        f"{{{{- if .Values.crds.enabled }}}}\n{head}{metadata}{KEEP}{literal}\n{{{{- end }}}}\n"
    )


def expected() -> dict[Path, str]:
    """Each template that the chart must have, with its text."""
    sources = [path.relative_to(ROOT) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    return {
        TEMPLATES / f"crd-{source.name.split('.')[0]}.yaml": template((ROOT / source).read_text(), source)
        for source in sources
    }


def findings() -> list[str]:
    """Templates that differ from crds/, and those without a source there."""
    wanted = expected()
    wrong = [
        f"{path} is not what crds/ says; run bin/format"
        for path, text in wanted.items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text() != text
    ]
    present = {path.relative_to(ROOT) for path in (ROOT / TEMPLATES).glob("crd-*.yaml")}
    return wrong + [f"{path} has no source in crds/" for path in sorted(present - set(wanted))]


if __name__ == "__main__":
    for path, text in expected().items():
        (ROOT / path).write_text(text)
