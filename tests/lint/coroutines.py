"""Finds what g++ 12 gets wrong: temporaries inside a statement that contains co_await.

A capturing lambda, or `Type{...}` and other braces, written in the same full expression as co_await is
destroyed twice by g++ 12.2 (a use after free). Name it in a statement of its own, then std::move it.
So is the result of a co_await that is a branch of `?:`. Write an if.
"""

import re
from dataclasses import dataclass

COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL,
)
BLOCK_OPENS_AFTER = re.compile(r"(\)|\b(else|do|try|mutable|noexcept|const)|->\s*[\w:<>,\s*&]+)\s*$")
BRANCH = re.compile(r"\?[^;{}]*\bco_await\b")
LAMBDA = re.compile(r"(?<![\w\])>])\s*(?<!\[)\[(?!\[)(?P<captures>[^\[\]]*)\]\s*(?:<[^>]*>\s*)?[({]")


@dataclass(frozen=True)
class Finding:
    line: int
    what: str


def blank(text: str) -> str:
    """The text with comments and literals made of spaces, every other character where it was."""

    def spaces(match: re.Match) -> str:
        kept = '"' if match[0][-1] in "\"'" and not match[0].startswith(("/", "'")) else " "
        return kept + re.sub(r"[^\n]", " ", match[0][1:])

    return COMMENT_OR_LITERAL.sub(spaces, text)


def begin_of_statement(code: str, at: int) -> int:
    """Where the statement around `at` begins: after a `;`, or after the brace of a block."""
    depth = 0
    for i in range(at - 1, -1, -1):
        char = code[i]
        if char in ")]":
            depth += 1
        elif char in "([":
            depth -= 1
        elif char == "}":
            following = code[i + 1 : at + 8].lstrip()
            if depth <= 0 and re.match(r"\w", following):
                return i + 1
            depth += 1
        elif char == "{":
            if depth <= 0 and BLOCK_OPENS_AFTER.search(code[max(0, i - 200) : i]):
                return i + 1
            depth -= 1
        elif char == ";" and depth <= 0:
            return i + 1
    return 0


def end_of_statement(code: str, at: int) -> int:
    """Where it ends: before its `;`, or before the block that a condition opens."""
    depth = 0
    for i in range(at, len(code)):
        char = code[i]
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "{":
            if depth < 0 and code[at:i].rstrip().endswith(")"):
                return i
            depth += 1
        elif char == "}":
            depth -= 1
        elif char == ";" and depth <= 0:
            return i
    return len(code)


def findings(text: str) -> list[Finding]:
    """Every statement of a C++ file that breaks the rule."""
    code = blank(text)
    found: dict[int, Finding] = {}
    for match in re.finditer(r"\bco_await\b", code):
        begin = begin_of_statement(code, match.start())
        statement = code[begin : end_of_statement(code, match.end())]
        line = code.count("\n", 0, match.start()) + 1
        capturing = next((m for m in LAMBDA.finditer(statement) if m["captures"].strip()), None)
        if capturing:
            found[line] = Finding(line, f"a lambda that captures [{capturing['captures'].strip()}]")
            continue
        if BRANCH.search(statement):
            found[line] = Finding(line, "a branch of ?:")
            continue
        without_bodies = re.sub(r"\)\s*(mutable\s*)?(->\s*[\w:<>]+\s*)?\{", ") ", statement)
        if "{" in without_bodies:
            found[line] = Finding(line, "a temporary made with braces")
    return [found[line] for line in sorted(found)]
