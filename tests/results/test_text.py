"""A result and counts as text and HTML."""

import pandas as pd
import pytest

import nps_research as nps

LTR = "likelihood_to_recommend"


def scores(**settings):
    rows = pd.DataFrame(
        {LTR: [k % 11 for k in range(74)], "Region": ["UK"] * 30 + ["IE"] * 20 + ["FR"] * 20 + ["XX"] * 4}
    )
    study = nps.Study.from_frames(responses=rows, segments=["Region"], settings=settings or {"minimum_cell": 10})
    return nps.score_distribution(study, by="Region")


def test_print_shows_the_finding_and_the_table_as_pages_round_it(capsys):
    result = nps.net_promoter_score(scores())
    print(result)  # noqa: T201 - what a reader of a terminal does
    finding, blank, header, *rows = capsys.readouterr().out.splitlines()
    assert finding == result.in_words
    assert blank == ""
    assert header.split("  ")[0] == "Group"
    assert "95% interval" in header
    assert [row.split()[0] for row in rows] == result.shown["group"].tolist()
    assert "\N{MINUS SIGN}" in rows[0]
    assert max(map(len, rows)) <= len(header)
    assert all(f"{len(row)}" for row in rows)


def test_hidden_groups_are_in_no_text():
    result = nps.net_promoter_score(scores())
    assert "XX" in result.frame["group"].tolist()
    assert "XX" not in str(result)
    assert str(result).count("\n") == len(result.shown) + 2
    assert len(result.shown) < 4


def test_repr_stays_short_and_what_has_no_table_is_its_finding():
    result = nps.net_promoter_score(scores())
    assert repr(result) == f"<NetPromoterScores: {result.finding}>"
    refused = nps.attempt(nps.responding.response_rates, nps.Study.from_frames(responses=pd.DataFrame({LTR: [9]})))
    assert str(refused) == refused.finding
    assert result._repr_mimebundle_()["text/plain"] == repr(result)


def test_counts_show_their_groups_and_none_that_is_too_small():
    html = scores()._repr_html_()
    assert '<th scope="row">UK</th>' in html
    assert "XX" not in html
    assert "FR" not in html or "IE" not in html  # else XX were what is left
    assert "not shown" in html
    assert ">3</td>" in html
    assert "XX" in scores(minimum_cell=1)._repr_html_()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</td></table>", "\"onload='x'"])
def test_hostile_groups_stay_text(name):
    dist = nps.ScoreDistribution.from_counts({name: [1] * 11})
    assert name not in dist._repr_html_()
    assert "<script" not in dist._repr_html_()
    assert "&lt;" in dist._repr_html_() or "&quot;" in dist._repr_html_()
