"""Sliders for both lines, in a live session: scores and rates at once. Pages have tables instead."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.given import as_distribution, as_outcome
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.score_bands import band_text, bands_between
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.results.live import moving
from nps_research.results.words import format_interval, format_value
from nps_research.score.score import net_promoter_score
from nps_research.study.study import Study

if TYPE_CHECKING:
    from ipywidgets import VBox


def cut_slider(
    dist: ScoreDistribution | Study,
    outcome: OutcomeByScore | Study | None = None,
    *,
    detractor_max: int | None = None,
    promoter_min: int | None = None,
) -> VBox | None:
    """Show sliders for both lines, where detractors end and promoters begin, over the score and an outcome's rates.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers; of several groups all together.
    outcome : OutcomeByScore or Study, optional
        One group's outcomes by score; of a Study churn is counted, or its only yes/no outcome.
    detractor_max, promoter_min : int, optional
        Where the sliders stand at first; None takes the study's lines.

    Returns
    -------
    ipywidgets.VBox or None
        None in a notebook that runs for a report: a page cannot move.
    """
    counted = as_distribution(dist, promoter_min=promoter_min, detractor_max=detractor_max)
    happened = None if outcome is None else as_outcome(outcome)

    def show(detractors_end_at: int, promoters_begin_at: int) -> str:
        if detractors_end_at >= promoters_begin_at:
            return "<p>Detractors must end below where promoters begin.</p>"
        return lines_html(counted.with_lines(promoters_begin_at, detractors_end_at), happened)

    return moving(
        show,
        detractors_end_at=(0, N_SCORES - 2, counted.detractor_max),
        promoters_begin_at=(1, N_SCORES - 1, counted.promoter_min),
    )


def lines_html(dist: ScoreDistribution, outcome: OutcomeByScore | None) -> str:
    """The score, and the rate of the outcome of detractors, passives and promoters: an HTML table.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"all": [0, 0, 0, 1, 0, 2, 1, 0, 0, 3, 3]}, detractor_max=3)
    >>> "NPS +50.0" in lines_html(dist, None)
    True
    """
    together = dist if len(dist.groups) == 1 else dist.total()
    row = net_promoter_score(together).frame.iloc[0]
    limits = format_interval(row["conf_low"], row["conf_high"], "points")
    cuts = sorted({dist.detractor_max, dist.promoter_min - 1})
    cells = []
    for low, high in bands_between(cuts):
        n = int(together.counts[0, low : high + 1].sum())
        rate = ""
        if outcome is not None:
            known, events = (int(values[:, low : high + 1].sum()) for values in (outcome.n, outcome.events))
            if known >= max(outcome.minimum_cell, 1):
                rate = f"{format_value(events / known, 'share')} of {known:,}"
        cells.append(f"<tr><th scope='row'>{band_text(low, high)}</th><td>{n:,}</td><td>{rate}</td></tr>")
    name = "" if outcome is None else escape(outcome.outcome)
    return (
        f"<p><b>NPS {format_value(row['estimate'], 'points')}</b> (95% interval {limits})</p><table><thead><tr>"
        f"<th scope='col'>Answers</th><th scope='col'>How many</th><th scope='col'>{name}</th></tr></thead>"
        f"<tbody>{''.join(cells)}</tbody></table>"
    )
