"""Checkers see handles, calls and refs as documented: `typing/sample.py` is compared with them line by line."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "typing" / "sample.py"
MARK = re.compile(r"# error(?:: (\w+))?$")

Findings = dict[int, str]


def run(*arguments: str) -> str:
    quiet = os.environ | {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=quiet, capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stderr or done.stdout
    return done.stdout


def mypy() -> Findings:
    lines = run("mypy", "--output", "json", str(SAMPLE)).splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return {
        e["line"]: e["message"] for e in found if e["severity"] == "error" and e["file"].endswith(SAMPLE.name)
    }


def pyright() -> Findings:
    report = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, str(SAMPLE)))
    found = [e for e in report["generalDiagnostics"] if e["severity"] == "error" and e["file"] == str(SAMPLE)]
    return {e["range"]["start"]["line"] + 1: e["message"] for e in found}


CHECKERS: dict[str, Callable[[], Findings]] = {"mypy": mypy, "pyright": pyright}


def expected(checker: str) -> set[int]:
    marks = ((number, MARK.search(line)) for number, line in enumerate(SAMPLE.read_text().splitlines(), 1))
    return {number for number, mark in marks if mark and mark[1] in (None, checker)}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("checker", CHECKERS)
def test_every_marked_line_is_an_error_and_no_other(checker: str) -> None:
    found, wanted = CHECKERS[checker](), expected(checker)

    surprises = [f"line {n}, no error expected: {found[n]}" for n in sorted(found.keys() - wanted)]
    surprises += [f"line {n}, should be an error" for n in sorted(wanted - found.keys())]

    assert surprises == [], "\n".join([f"{checker} on {SAMPLE.name}:", *surprises])
