"""Exports as people have them: each folder of tests/cases holds one, and what is right for it.

`init` is run on the file, `check` on what it drafted. A case is right where one of the alternatives of its
expected.json holds in full; what each key of an alternative means is in tests/cases/README.md.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli
from nps_research.errors import NPSResearchError

CASES = sorted(path.parent for path in (Path(__file__).parents[1] / "cases").glob("*/expected.json"))
CLOSE = 0.01  # NPS points


def _found(pattern: str, text: str) -> bool:
    """Whether a pattern occurs; (?i) may stand anywhere in it."""
    return re.search(pattern.replace("(?i)", ""), text, re.IGNORECASE if "(?i)" in pattern else 0) is not None


class Drafted:
    """What `init` and `check` made of one export."""

    def __init__(self, file: Path, folder: Path) -> None:
        runner = CliRunner()
        self.study_folder = folder / "study"
        first = runner.invoke(cli.app, ["init", str(file), "--out", str(self.study_folder)])
        second = runner.invoke(cli.app, ["check", str(self.study_folder), "--data", str(file.parent)])
        self.exit_codes = (first.exit_code, second.exit_code)
        self.said = first.output, second.output
        self.lines = [line for text in self.said for line in text.splitlines()]
        self.toml = (self.study_folder / "study.toml").read_text() if first.exit_code == 0 or self._is_there else ""
        self.settings: dict[str, Any] = tomllib.loads(self.toml) if self.toml else {}
        self.file = file
        self._study: nps.Study | None = None

    @property
    def _is_there(self) -> bool:
        return (self.study_folder / "study.toml").is_file()

    @property
    def study(self) -> nps.Study:
        if self._study is None:
            self._study = nps.open_study(self.study_folder, data=self.file.parent)
        return self._study

    def score(self, *, weight: str | None = "auto") -> Any:
        return nps.net_promoter_score(nps.score_distribution(self.study, weight=weight)).frame.iloc[0]

    def holds(self, alternative: dict[str, Any]) -> bool:
        try:
            return all(getattr(self, f"_{key}")(value) for key, value in alternative.items())
        except (NPSResearchError, FileNotFoundError):
            return False

    def _nps(self, values: list[float]) -> bool:
        return self.exit_codes == (0, 0) and any(abs(self.score()["estimate"] - value) < CLOSE for value in values)

    def _weighted_nps(self, values: list[float]) -> bool:
        return self._nps(values)

    def _n(self, n: int) -> bool:
        return bool(self.score()["n"] == n)

    def _wave_nps(self, ways: dict[str, list[float]]) -> bool:
        found = nps.trend(nps.score_distribution(self.study, by="wave")).frame["estimate"].tolist()
        return any(
            len(found) == len(way) and all(abs(a - b) < CLOSE for a, b in zip(found, way, strict=True))
            for way in ways.values()
        )

    def _warn(self, patterns: list[str]) -> bool:
        return any(all(_found(pattern, line) for pattern in patterns) for line in self.lines)

    def _refuse(self, patterns: list[str]) -> bool:
        return any(self.exit_codes) and self._warn(patterns)

    def _said(self, pattern: str) -> bool:
        return _found(pattern, "\n".join(self.lines))

    def _period(self, pattern: str) -> bool:
        return re.search(pattern, self.study.period) is not None

    def _mapped(self, part: str) -> dict[str, str]:
        return self.settings["responses"].get(part, {}).get("columns", {})

    def _drivers(self, columns: list[str]) -> bool:
        return set(self._mapped("drivers").values()) == set(columns)

    def _not_drivers(self, columns: list[str]) -> bool:
        return not set(self._mapped("drivers").values()) & set(columns)

    def _driver_names(self, names: list[str]) -> bool:
        shown = list(self._mapped("drivers"))
        return all(any(re.search(name, each) for each in shown) for name in names)

    def _not_segments(self, columns: list[str]) -> bool:
        return not set(self._mapped("segments").values()) & set(columns)

    def _toml_values(self, values: list[str]) -> bool:
        return all(value in json.dumps(self.settings, ensure_ascii=False, default=str) for value in values)

    def _response_rate(self, limits: list[float]) -> bool:
        rates = nps.responding.response_rates(self.study).frame
        return limits[0] <= rates["estimate"].iloc[-1] <= limits[1]

    def _no_response_rate(self, _: bool) -> bool:
        rate = self.score().get("response_rate")
        return rate is None or rate != rate

    def _pasteable(self, _: bool) -> bool:
        command = next(line.strip() for line in self.lines if line.strip().startswith("nps-research check"))
        words = shlex.split(command)
        return CliRunner().invoke(cli.app, words[1:]).exit_code == 0


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_an_export_gives_the_right_number_or_says_what_it_cannot_tell(case, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    drafted = Drafted(case / expected["file"], tmp_path)
    assert any(drafted.holds(alternative) for alternative in expected["right"]), "\n".join(drafted.lines)
