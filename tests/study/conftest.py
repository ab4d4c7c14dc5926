"""What the tests of hostile studies share."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.support.hostile import COLUMNS, START


@pytest.fixture
def study(tmp_path):
    """Makes a study of sixty answers; some cells and lines of study.toml are given."""

    def make(more="", *, toml=None, header=COLUMNS, **cells):
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        rows = [
            [cells.get(name, {"respondent_id": f"r{row}", "likelihood_to_recommend": row % 11}.get(name, "ACME"))
             for name in header]
            for row in range(60)
        ]  # fmt: skip
        pd.DataFrame(rows, columns=list(header)).to_csv(folder / "a.csv", index=False)
        (folder / "study.toml").write_text(toml or START + more, encoding="utf-8")
        return folder

    return make
