import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nps_research.errors import CannotAnswerError
from nps_research.made_up.comments import PROBLEM_CODES, draw_comments
from nps_research.problems.coded_comments import coded_comments
from nps_research.problems.comment_shares import AGREED, NOT_CODABLE, NOT_KNOWN, comment_shares
from nps_research.problems.machine import cross_predicted, letter_frequencies
from nps_research.results.words import MOST_WORDS
from nps_research.statistics.coder_agreement import alpha_limits, krippendorff_alpha
from nps_research.statistics.prediction_powered import prediction_powered_mean
from nps_research.study.study import Study
from tests.problems.test_pain_map import demo

REFERENCE = Path(__file__).parents[1] / "reference"
LABELS = {**{code: {"label": code} for code in PROBLEM_CODES}, "none": {"label": "none", "praise": True}}


def written(n=1200, *, rng, share=0.08):
    """Comments in four languages, each by another person, and what they tell of."""
    language = rng.choice(["en", "uk", "ro", "ru"], n)
    score = rng.integers(0, 11, n).astype(float)
    had = rng.random((n, len(PROBLEM_CODES))) < share
    text, told = draw_comments(language, score, had, rng=rng)
    rows = pd.DataFrame(
        {
            "respondent_id": [f"K{row:05d}" for row in range(n)],
            "likelihood_to_recommend": score.astype(int),
            "language": language,
            "comment": text,
        }
    )
    return rows, told


def hand_codes(told, drawn, *, chance, coder="A"):
    """A row for each code of each comment drawn, or one that it names none."""
    rows = [
        {"respondent_id": f"K{row:05d}", "coder": coder, "problem": code, "inclusion_probability": p}
        for row, p in zip(drawn, chance, strict=True)
        for code in ([PROBLEM_CODES[at] for at in np.flatnonzero(told[row])] or ["none"])
    ]
    return pd.DataFrame(rows)


def study_of(rows, codes, *, problems=LABELS, **settings):
    return Study.from_frames(responses=rows, tables={"hand_codes": codes}, problems=problems, settings=settings)


def drawn_study(seed, *, n=1200, coded=300):
    rng = np.random.default_rng(seed)
    rows, told = written(n, rng=rng)
    drawn = rng.choice(n, coded, replace=False)
    return study_of(rows, hand_codes(told, drawn, chance=np.full(coded, coded / n))), told


def by_term(result):
    return result.frame.set_index("term")


def displayed(result):
    json.dumps(result.to_json(), allow_nan=False)
    assert len(result.finding.split()) <= MOST_WORDS
    result.plot()
    return result._repr_mimebundle_()["text/html"]


# References and brute force


@pytest.mark.parametrize("code", ["waiting", "staff", "food"])
def test_the_arithmetic_is_that_of_ppi_python(code):
    data = pd.read_csv(REFERENCE / "ppi_codes.csv")
    wanted = json.loads((REFERENCE / "ppi_codes.json").read_text())[code]
    by_hand = data["hand_coded"].to_numpy() == 1
    machine = data[f"machine_{code}"].to_numpy(dtype=float)
    truth = data.loc[by_hand, f"hand_{code}"].to_numpy(dtype=float)
    chance = np.full(by_hand.sum(), by_hand.mean())
    z = 1.959963984540054
    for power, name in ((1.0, "ppi"), (None, "ppi_power_tuned")):
        found = prediction_powered_mean(truth, machine[by_hand], machine, chance=chance, power=power)
        assert found.estimate == pytest.approx(wanted[name]["estimate"], rel=1e-8)
        ends = [found.estimate - z * found.std_error, found.estimate + z * found.std_error]
        assert ends == pytest.approx(wanted[name]["ci"], rel=1e-8)
    assert found.power == pytest.approx(wanted["lambda_by_hand"], rel=1e-8)
    alone = prediction_powered_mean(truth, machine[by_hand], machine, chance=chance, power=0.0)
    assert alone.estimate == pytest.approx(wanted["hand_share"])


def test_unequal_chances_are_undone_and_errors_are_true():
    rng, found, errors, n = np.random.default_rng(1), [], [], 4000
    truth = (rng.random(n) < 0.2).astype(float)
    predicted = np.clip(0.2 + 0.5 * (truth - 0.2) + rng.normal(0, 0.2, n), 0, 1)
    chance = np.where(predicted > 0.35, 0.2, 0.05)  # an enriched sample
    for _ in range(600):
        drawn = rng.random(n) < chance
        each = prediction_powered_mean(truth[drawn], predicted[drawn], predicted, chance=chance[drawn])
        found.append(each.estimate)
        errors.append(each.std_error)
    assert np.mean(found) == pytest.approx(truth.mean(), abs=3.3 * np.std(found) / np.sqrt(600))
    # the population is fixed here, and the error that of a population that is drawn, too
    spread = np.sqrt(np.var(found) + truth.var() / n)
    assert np.mean(errors) == pytest.approx(spread, rel=0.1)


def test_alpha_is_the_definition():
    # Krippendorff (2011), computing Krippendorff's alpha-reliability: binary data of two observers, alpha = 0.095
    one = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 0])
    other = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    assert krippendorff_alpha(one + other, np.full(10, 2))[0] == pytest.approx(0.095, abs=5e-4)
    full = krippendorff_alpha(np.array([2, 0, 0, 1]), np.array([2, 2, 2, 1]))
    assert full.tolist() == [1.0]
    assert np.isnan(krippendorff_alpha(np.zeros(5, int), np.full(5, 2))[0])


def test_limits_of_alpha_are_those_of_resampled_comments():
    rng = np.random.default_rng(3)
    given = rng.choice([0, 1, 2], 100, p=[0.6, 0.1, 0.3])
    low, high = alpha_limits(given, np.full(100, 2), confidence_level=0.95, n_resamples=4000, rng=rng)
    drawn = [krippendorff_alpha(rng.choice(given, 100), np.full(100, 2))[0] for _ in range(2000)]
    assert (low, high) == (
        pytest.approx(np.quantile(drawn, 0.025), abs=0.02),
        pytest.approx(np.quantile(drawn, 0.975), abs=0.02),
    )
    assert np.isnan(alpha_limits(np.zeros(5, int), np.ones(5, int), confidence_level=0.95, n_resamples=9, rng=rng)[0])


def test_nobodys_comment_is_predicted_by_what_was_learned_from_them():
    rng = np.random.default_rng(4)
    text = pd.Series([f"{'late' if row % 2 else 'fine'} {row}" for row in range(200)])
    person, coded = np.arange(200) // 2, np.ones(200, dtype=bool)
    truth = (np.arange(200) % 2).astype(float)[:, None]
    frequencies = letter_frequencies(text, pd.Series("en", text.index))
    told = cross_predicted(frequencies, person, coded, truth, np.random.default_rng(1))
    one = truth.copy()
    one[7] = 1 - one[7]  # whatever is said of a comment, its own and its writer's other one are predicted as before
    other = cross_predicted(frequencies, person, coded, one, np.random.default_rng(1))
    assert told[[6, 7]].tolist() == other[[6, 7]].tolist()
    assert (told != other).any()
    assert np.corrcoef(told[:, 0], truth[:, 0])[0, 1] > 0.9
    unseen = cross_predicted(frequencies, person, coded, 0 * truth + rng.integers(0, 1), rng)
    assert (unseen == 0).all()


# Recovery


def test_shares_of_comments_are_covered_and_the_machine_alone_misses_them():
    covered, machine, narrower, seen = [], [], [], 0
    for seed in range(6):
        study, told = drawn_study(seed)
        frame = by_term(comment_shares(study))
        for at, code in enumerate(PROBLEM_CODES):
            row, truth = frame.loc[code], told[:, at].mean()
            covered.append(row["conf_low"] <= truth <= row["conf_high"])
            machine.append(row["conf_low"] <= row["machine_share"] <= row["conf_high"])
            if row["method"] == "prediction-powered":
                seen += 1
                narrower.append(row["std_error"] / np.sqrt(row["hand_share"] * (1 - row["hand_share"]) / row["n"]))
    assert np.mean(covered) >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / len(covered))
    assert np.mean(machine) < 0.5
    assert seen > 20
    assert np.mean(narrower) < 0.97


def test_the_demo_is_counted_without_a_word_of_a_comment():
    result = comment_shares(demo())
    html = displayed(result)
    comments = demo().responses["comment"].dropna()
    told = result.frame.to_csv() + html + json.dumps(result.to_json(), ensure_ascii=False)
    assert not any(comment in told for comment in comments if len(comment) > 12)
    assert not re.search(r"\b[CA]\d{4,5}\b|Coder", told)
    rare = result.frame[(result.frame["events"] < 20)]
    assert (rare["method"] == "by hand").all()
    assert (rare["conf_low"] >= 0).all()
    assert "not customers" in result.note


# Coders


def test_what_is_told_of_most_is_said_only_where_limits_do_not_meet():
    result = comment_shares(demo())
    first, second, *_ = result._known
    assert second["conf_high"] >= first["conf_low"]
    assert f"and {second['term']}" in result.finding
    assert result.finding.endswith("too close to call.")
    apart = result.frame.assign(conf_high=result.frame["conf_high"].mask(result.frame["term"] == second["term"], 0.0))
    assert "too close" not in replace(result, frame=apart).finding


def test_a_code_on_which_coders_disagree_gets_no_share():
    rng = np.random.default_rng(6)
    rows, told = written(600, rng=rng, share=0.3)
    drawn = np.arange(300)
    other = told.copy()
    other[:, 0] = rng.random(600) < told[:, 0].mean()
    one = hand_codes(told, drawn, chance=np.full(300, 0.5))
    both = pd.concat([one, hand_codes(other, drawn, chance=np.full(300, 0.5), coder="B")])
    frame = by_term(comment_shares(study_of(rows, both)))
    assert frame.loc[PROBLEM_CODES[0], "agreement"] == NOT_CODABLE
    assert frame.loc[PROBLEM_CODES[0], ["estimate", "conf_low", "hand_share", "machine_share"]].isna().all()
    assert frame.loc[PROBLEM_CODES[1], "agreement"] == AGREED
    apart = pd.concat([one[one["respondent_id"] < "K00150"], one[one["respondent_id"] >= "K00150"].assign(coder="B")])
    study = study_of(rows, apart)
    assert any("how far they agree cannot be told" in note for note in study.notes)
    assert set(comment_shares(study).frame["agreement"]) == {NOT_KNOWN}


# Refusals


def test_without_hand_codes_there_is_no_share():
    rows, told = written(300, rng=np.random.default_rng(7))
    study = Study.from_frames(responses=rows, problems=LABELS)
    with pytest.raises(CannotAnswerError, match=r"^No comment was coded by hand, so no share can be told"):
        comment_shares(study)
    with pytest.raises(CannotAnswerError, match="what the person wrote"):
        comment_shares(Study.from_frames(responses=rows.drop(columns="comment")))
    few = hand_codes(told, np.arange(30), chance=np.full(30, 0.1))
    with pytest.raises(CannotAnswerError, match="Only 30 comments were coded by hand; 50 are needed"):
        comment_shares(study_of(rows, few))
    named = hand_codes(told, np.arange(200), chance=np.full(200, 0.5))
    with pytest.raises(CannotAnswerError, match="must also note comments that name none"):
        comment_shares(study_of(rows, named[named["problem"] != "none"]))


def test_a_fifth_language_without_hand_codes_is_left_out_and_said():
    rng = np.random.default_rng(8)
    rows, told = written(400, rng=rng)
    fifth = rows.head(60).assign(respondent_id=[f"M{row}" for row in range(60)], language="de", comment="Alles gut")
    codes = hand_codes(told, np.arange(200), chance=np.full(200, 0.5))
    result = comment_shares(study_of(pd.concat([rows, fifth]), codes))
    assert (result.n_comments, result.left_out, result.n_left_out) == (400, ("de",), 60)
    assert "60 comments in de" in result.note
    few = comment_shares(study_of(pd.concat([rows, fifth.head(3)]), codes))
    assert few.left_out == ("another language",)


def test_codes_that_the_study_does_not_list_are_quarantined_not_counted():
    rng = np.random.default_rng(9)
    rows, told = written(400, rng=rng)
    codes = hand_codes(told, np.arange(200), chance=np.full(200, 0.5))
    strange = codes.head(20).assign(problem="unheard_of")
    study = study_of(rows, pd.concat([codes, strange]))
    assert len(study.quarantine) == 20
    assert coded_comments(study).given.sum() == coded_comments(study_of(rows, codes)).given.sum()
    without = comment_shares(study_of(rows, codes.drop(columns="inclusion_probability")))
    assert not without.chances_stated
    assert "no chance is stated" in without.note
