"""Groups now, each with its change from the wave before: the numbers, and nothing of a group too small to show."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

import nps_research as nps
from nps_research.errors import CannotAnswerError

BRANCHES: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "North": ((30, 10, 10), (10, 10, 30)),
    "South": ((20, 10, 20), (20, 10, 20)),
    "West": ((2, 1, 1), (20, 5, 5)),
}


def study(branches: Mapping[str, tuple[tuple[int, ...], ...]] = BRANCHES, **settings: object) -> nps.Study:
    """Promoters, passives and detractors of each branch in two waves."""
    rows = [
        {"likelihood_to_recommend": answer, "branch": branch, "wave": wave}
        for branch, waves in branches.items()
        for wave, classes in zip(("2024", "2025", "2026"), waves, strict=False)
        for answer, n in zip((10, 8, 2), classes, strict=True)
        for _ in range(n)
    ]
    return nps.Study.from_frames(responses=pd.DataFrame(rows), segments=["branch"], settings=settings)


def test_each_group_has_its_score_now_and_its_change() -> None:
    found = nps.score.compare_groups_now(study(minimum_cell=1))
    rows = found.frame.set_index("group")
    assert rows["estimate"].to_dict() == pytest.approx({"North": -40, "South": 0, "West": 50})
    assert rows["change"].to_dict() == pytest.approx({"North": -80, "South": 0, "West": 25})
    one_by_one = nps.compare_net_promoter_scores(
        nps.score_distribution(study(minimum_cell=1), by=["branch", "wave"]),
        pairs=[((name, "2024"), (name, "2025")) for name in BRANCHES],
    )
    assert rows.loc[list(BRANCHES), "p_adjusted"].tolist() == pytest.approx(one_by_one.frame["p_adjusted"].tolist())
    assert found.finding == (
        "In 2025, the NPS by branch runs from −40.0 (North) to +50.0 (West). "
        "More than chance explains since 2024: North (−80.0)."
    )
    assert found.at_a_glance["groups"] == (
        "NPS by branch in 2025 (and since 2024): North −40.0 (−80.0), South 0.0 (0.0) and West +50.0 (+25.0). "
        "More than chance explains since 2024: North (−80.0)."
    )


def test_of_a_group_too_small_in_the_wave_before_there_is_no_change() -> None:
    others = dict.fromkeys(("Centre", "East", "North", "South"), ((40, 10, 10),) * 3)
    found = nps.score.compare_groups_now(study({**others, "West": ((40, 10, 10), (2, 1, 1), (40, 10, 10))}))
    rows = found.frame.set_index("group")
    assert np.isnan(rows["change"]["West"])
    assert rows["estimate"]["West"] == 50
    assert "West +50.0." in found.at_a_glance["groups"]
    assert rows["change"].notna().sum() >= 2


def test_a_group_too_small_now_is_named_nowhere() -> None:
    small = {**BRANCHES, "West": ((20, 5, 5), (2, 1, 1)), "East": ((20, 5, 5), (20, 5, 5))}
    found = nps.score.compare_groups_now(study(small))
    told = " ".join([json.dumps(found.to_json()), str(found), str(found._repr_mimebundle_()["text/html"])])
    assert "West" not in told
    assert "not shown" in found.full_note


def test_of_many_groups_the_first_page_says_the_ends() -> None:
    many = {f"B{number}": ((20, 10, 20), (20 + number, 10, 20)) for number in range(8)}
    found = nps.score.compare_groups_now(study(many))
    assert found.at_a_glance["groups"] == found.finding


def test_one_wave_has_no_change() -> None:
    with pytest.raises(CannotAnswerError, match="one wave only"):
        nps.score.compare_groups_now(study({name: waves[:1] for name, waves in BRANCHES.items()}))
