"""The texts of typical errors, as a reader meets them, held in golden/error_texts.txt.

After a text has been changed on purpose, write the file anew and read the difference:

    python -m tests.study.test_errors_golden
"""

import tempfile
from pathlib import Path

import pandas as pd
import pytest

from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import NPSResearchError
from nps_research.responding.funnel import response_funnel
from nps_research.responding.representativeness import representativeness
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.score import net_promoter_score
from nps_research.study.study import Study, open_study

GOLDEN = Path(__file__).parents[1] / "golden" / "error_texts.txt"
LTR = "likelihood_to_recommend"
COLUMNS = 'columns = { respondent_id = "ID", likelihood_to_recommend = "NPS" }\n'
START = 'name = "A study"\n[responses]\nfile = "answers.csv"\n'
ANSWERS = "ID,NPS,PRICE\n1,9,4\n2,3,5\n"


def opening(study=START + COLUMNS, answers=ANSWERS, **options):
    """Open a study folder with this study.toml and this answers.csv; None: no such file."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "my-study")
        place.mkdir()
        for name, text in (("study.toml", study), ("answers.csv", answers)):
            if text is not None:
                Path(place, name).write_text(text, encoding="utf-8")
        open_study(place, **{name: place / value for name, value in options.items()})


def of_frame(columns=None, **options):
    return Study.from_frames(responses=pd.DataFrame(columns or {LTR: [9, 3]}), **options)


def scored(**options):
    net_promoter_score(ScoreDistribution.from_counts({"all": [1, 0, 0, 2, 0, 5, 6, 10, 20, 15, 30]}), **options)


CASES = {
    # study.toml
    "no study.toml": lambda: opening(None),
    "study.toml with bad syntax": lambda: opening('name = "A study\n'),
    "a typo in a key": lambda: opening(START + COLUMNS + "[settings]\npromotor_min = 8\n"),
    "a key that is like no other": lambda: opening(START + COLUMNS + "[settings]\ncolour = 8\n"),
    "a wrong type": lambda: opening(START + 'columns = ["NPS"]\n'),
    "settings out of range": lambda: opening(START + COLUMNS + "[settings]\npromoter_min = 11\nminimum_cell = 0\n"),
    "cuts that overlap": lambda: opening(START + COLUMNS + "[settings]\npromoter_min = 7\ndetractor_max = 7\n"),
    "an outcome without its codes": lambda: opening(
        START + COLUMNS + '[outcomes.left]\ntable = "responses"\ncolumn = "LEFT"\ndirection = "bad"\n'
    ),
    "a file outside the data folder": lambda: opening('name = "A"\n[[responses.files]]\nfile = "../a.csv"\n'),
    # tables
    "no data folder": lambda: opening(data="elsewhere"),
    "no such file": lambda: opening(answers=None),
    "an empty file": lambda: opening(answers=""),
    "a misspelt column": lambda: opening(answers="ID,NPSS\n1,9\n"),
    "columns like no other": lambda: opening(answers="a,b\n1,9\n"),
    "a column twice": lambda: opening(answers="ID,NPS,NPS\n1,9,3\n"),
    "a misspelt standard column": lambda: opening(START + 'columns = { likelihood_to_recomend = "NPS" }\n'),
    "a missing code without a column": lambda: opening(START + COLUMNS + "missing_codes = { likelihood = [11] }\n"),
    "nothing that says who answered": lambda: opening(START + 'columns = { respondent_id = "ID" }\n'),
    "a cluster that is no column": lambda: opening(START + COLUMNS + '[settings]\ncluster = "acount_id"\n'),
    "a driver that is no column": lambda: of_frame({LTR: [9], "price": [4]}, drivers=["prize"]),
    "a segment that is no column": lambda: of_frame(segments=["region"]),
    # questions
    "a need that is not met": lambda: of_frame().require("responses.wave", "customers.churned_at", "outcomes"),
    "a need that is none": lambda: of_frame().can_answer("responses.waves"),
    "a funnel of scores alone": lambda: response_funnel(of_frame()),
    "representativeness of scores alone": lambda: representativeness(of_frame()),
    "representativeness without columns": lambda: representativeness(of_frame({LTR: [9], "responded": [1]})),
    "a grouping that is no column": lambda: score_distribution(of_frame(), by="regoin"),
    "a grouping that this study lacks": lambda: score_distribution(of_frame(), by="wave"),
    # estimates
    "a method that is none": lambda: scored(method="walled"),
    "cuts that overlap in a call": lambda: scored(promoter_min=6, detractor_max=6),
    "a confidence level that is none": lambda: scored(confidence_level=95),
    "counts that are too few": lambda: ScoreDistribution.from_counts({"all": [1, 2, 3]}),
    "a pair of which one is no group": lambda: compare_net_promoter_scores(
        score_distribution(of_frame()), pairs=[("all", "2018")]
    ),
}


def texts():
    """Each case with the class and the text of its error."""
    found = {}
    for case, make in CASES.items():
        with pytest.raises(NPSResearchError) as caught:
            make()
        found[case] = f"{type(caught.value).__name__}: {caught.value}"
    return found


def written(found):
    return "\n".join(f"{case}\n    {text}\n" for case, text in found.items())


def test_error_texts_are_the_golden_ones():
    assert written(texts()) == GOLDEN.read_text("utf-8")


def test_error_texts_are_one_line_in_our_own_words():
    for text in texts().values():
        assert "\n" not in text
        assert not any(word in text for word in ("pydantic", "pandas", "Traceback", "my-study/"))
        assert 30 < len(text) < 400


if __name__ == "__main__":
    GOLDEN.write_text(written(texts()), "utf-8")
