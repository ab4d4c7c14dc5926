"""One respondent's waterfall: our values as shap draws them, in a live notebook only."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from nps_research.drivers.waterfall import waterfall
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.results.display import IN_REPORT
from tests.support.made_up_ratings import TERMS, fitted_study


@pytest.fixture(autouse=True)
def live(monkeypatch):
    monkeypatch.delenv(IN_REPORT, raising=False)
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_arrows_lead_from_the_average_to_the_answer_expected():
    study, model = fitted_study()
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    ax = waterfall(study, model, "R00007")
    figure = ax.get_figure()
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    values = model.contributions.iloc[7]
    written = sorted(abs(float(text.get_text().replace("\N{MINUS SIGN}", "-"))) for text in ax.texts)
    assert written == pytest.approx(sorted(values.abs()), abs=0.006)
    names = [text.get_text().split(" = ")[-1] for text in ax.get_yticklabels()[: len(TERMS)]]
    assert names[::-1] == values.abs().sort_values(ascending=False).index.tolist()
    assert [text.get_text().split(" = ")[0] for text in ax.get_yticklabels()[: len(TERMS)]] == [
        f"{rating:g}" if rating == rating else "not rated" for rating in study.responses.iloc[7][names]
    ]
    average, expected = (twin.get_xticks()[0] for twin in figure.axes[1:])
    assert expected == pytest.approx(model.predictions.iloc[7])
    assert expected - average == pytest.approx(values.sum())
    assert "expected" in figure.axes[2].get_xticklabels()[0].get_text()


def test_a_report_shows_nobody_alone(monkeypatch):
    monkeypatch.setenv(IN_REPORT, "1")
    with pytest.raises(CannotAnswerError, match="live notebook"):
        waterfall(*fitted_study(), "R00007")
    assert not plt.get_fignums()


def test_whoever_is_not_there_is_not_drawn():
    study, model = fitted_study()
    with pytest.raises(EstimationError, match="no answer of this respondent"):
        waterfall(study, model, "nobody")
    with pytest.raises(EstimationError, match=r"in 2025\.$") as error:
        waterfall(study, model, "R00007", wave="2025")
    assert "R00007" not in str(error.value)
    assert waterfall(study, model, "R00007", wave="2024") is not None
