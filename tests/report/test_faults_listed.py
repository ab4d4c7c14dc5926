"""The tables of bad inputs and faults in tests/README.md name tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parents[1]
ROW = re.compile(r"\| (?P<put_in>[^|]+) \| (?P<seen>[^|]+) \| `(?P<file>[\w/]+\.py)::(?P<test>\w+)` \|")


def rows() -> list[dict[str, str]]:
    lines = (HERE / "README.md").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if "::" in line]
    found = [ROW.fullmatch(line) for line in listed]
    assert all(found), [line for line, row in zip(listed, found, strict=True) if not row]
    return [row.groupdict() for row in found if row]


def test_every_listed_test_is_there() -> None:
    listed = rows()
    there = set()
    for file in {row["file"] for row in listed}:
        tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
        there |= {(file, node.name) for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {(row["file"], row["test"]) for row in listed} <= there


def test_at_least_forty_different_ones_are_listed() -> None:
    listed = rows()
    assert len({row["put_in"].casefold() for row in listed}) == len(listed)
    assert len({(row["file"], row["test"]) for row in listed}) == len(listed)
    assert len(listed) >= 40
