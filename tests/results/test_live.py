"""How far long work is: shown to who waits for it, and nowhere else."""

from __future__ import annotations

import io
import sys

import pytest
from tqdm import tqdm

from nps_research.results.display import IN_REPORT
from nps_research.results.live import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_at_a_terminal_long_work_is_shown_and_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(IN_REPORT, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    shown = progress(range(3), of=3)
    assert isinstance(shown, tqdm)
    assert shown.delay == 5
    assert list(shown) == [0, 1, 2]
    assert terminal.getvalue() == ""  # it took less
    shown = progress(range(3), of=3)
    assert isinstance(shown, tqdm)
    shown.delay, shown.mininterval = 1e-9, 0
    assert list(shown) == [0, 1, 2]
    said, _, last = terminal.getvalue().rpartition("2/3")
    assert "1/3" in said
    assert last.rpartition("step/s]")[2].strip() == ""


def test_a_report_and_a_file_have_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = range(3)
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv(IN_REPORT, "1")
    assert progress(steps, of=3) is steps
    monkeypatch.delenv(IN_REPORT)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert progress(steps, of=3) is steps
