"""A study by other lines and another horizon than its own, and only up to a wave."""

from __future__ import annotations

from dataclasses import replace

from nps_research.errors import ContractError, did_you_mean
from nps_research.results.words import plain_text
from nps_research.study.settings_file import read_settings
from nps_research.study.study import Study


def with_levers(
    study: Study, *, last_wave: str | None = None, detractor_max: int | None = None, horizon_days: int | None = None
) -> Study:
    """Take a study up to a wave, by another line or horizon than study.toml says: the levers of a notebook's reader.

    Parameters
    ----------
    study : Study
    last_wave : str, optional
        The last wave that is left; None leaves all.
    detractor_max : int, optional
        Highest detractor answer; None: the study's own.
    horizon_days : int, optional
        Days over which an outcome is counted after the landmark; None: the study's own.

    Returns
    -------
    Study
        The same, where nothing is set.

    Raises
    ------
    ContractError
        If there is no such wave, or a setting is impossible.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame({"likelihood_to_recommend": [10, 9, 3], "wave": ["2024", "2025", "2026"]})
    >>> study = with_levers(Study.from_frames(responses=answers), last_wave="2025", detractor_max=3)
    >>> study.waves, study.settings.detractor_max
    (('2024', '2025'), 3)
    """
    changed = {"detractor_max": detractor_max, "outcome_horizon_days": horizon_days}
    changed = {name: value for name, value in changed.items() if value is not None}
    if changed:
        study = replace(study, settings=read_settings({**study.settings.model_dump(), **changed}))
    if last_wave is None:
        return study
    if last_wave not in study.waves:
        raise ContractError(f"There is no wave {plain_text(last_wave)!r}{did_you_mean(last_wave, list(study.waves))}")
    return study.where(wave=study.waves[: study.waves.index(last_wave) + 1])
