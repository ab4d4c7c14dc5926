"""What is planted in opinions, answers, problems and calls, counted in a drawn company."""

from __future__ import annotations

import numpy as np

from nps_research.made_up.company import MADE_UP_ROLES
from nps_research.made_up.counted import Counted, CountedRows, gap
from nps_research.made_up.lives import FATIGUE_DAYS
from nps_research.made_up.simulate import SimulatedStudy
from nps_research.typing import Flags, Floats, Numbers

_BETWEEN_STATES = (6.5, 8.5)  # the lasting opinion of a detractor, a passive, a promoter (0-6, 7-8, 9-10)


def counted_opinion(study: SimulatedStudy) -> list[Counted]:
    """Who thinks how much better than others, and what the stage of life, problems and the way of asking add.

    Parameters
    ----------
    study : SimulatedStudy

    Returns
    -------
    list of Counted
    """
    truth, company, lives = study.truth, study.company, study.lives
    waves = truth.n_waves
    rows, there = _rows_of_waves(study), ~np.isnan(lives.hazard[company.account, :waves]).T.ravel()

    def flat(values: Numbers) -> Numbers:
        return np.broadcast_to(values, lives.listed.shape).T.ravel()

    opinion = flat((lives.opinion - lives.by_calls)[:, :waves])  # who thinks less is called more often
    index = flat(lives.index[:, :waves])
    used_to = flat(company.used_to[:, :waves])
    month, first_year = flat(company.life_month()[:, :waves]), flat((company.life_month() <= 12)[:, :waves])
    counts = []
    for dip in sorted({*truth.life_dips, 3, 6, 9}):
        others = there & first_year & ~np.isin(month, [3, 9, dip])
        counts.append(
            rows.count(
                f"Opinion in month {dip} of an account, against the other months of its first year",
                truth.life_dips.get(dip, 0.0),
                "score points",
                (opinion, there & (month == dip)),
                (opinion, others),
                combined=gap,
            )
        )
    region, role = (
        flat(company.contacts["region"].to_numpy()[:, None]),
        flat(company.contacts["role"].to_numpy()[:, None]),
    )
    shift = truth.region_shift
    counts.append(
        rows.count(
            "Opinion in Moldova, against the UK",
            shift.get("Moldova", 0.0) - shift.get("UK", 0.0),
            "score points",
            (opinion, there & (region == "Moldova")),
            (opinion, there & (region == "UK")),
            combined=gap,
        )
    )
    counts.append(
        rows.count(
            "Opinion of decision makers, against others, what they rate aside",
            truth.role_shift.get(MADE_UP_ROLES[0], 0.0),
            "score points",
            (opinion - used_to, there & (role == 0)),
            (opinion - used_to, there & (role > 0)),
            combined=gap,
        )
    )
    employee = flat(company.accounts["employee"].to_numpy()[company.account][:, None])
    counts.append(
        rows.count(
            "Opinion of those whom one of the bad employees serves, against others (their own spread aside)",
            truth.bad_employee_shift,
            "score points",
            (opinion, there & (employee < truth.bad_employees)),
            (opinion - study.company.employee_shift[employee], there & (employee >= truth.bad_employees)),
            combined=gap,
        )
    )
    asks, place = np.unique(lives.interviewer, return_index=True)
    employees = company.employee_shift[truth.bad_employees :]
    interviewers = lives.interviewer_shift.ravel()[place[asks >= 0]]
    counts.append(_spread_between("employees but for the bad ones", truth.employee_deviation, employees))
    counts.append(_spread_between("interviewers", truth.interviewer_deviation, interviewers))
    last, assigned = lives.last.T.ravel(), lives.assigned_channel.T.ravel()
    beside = index - lives.interviewer_shift.T.ravel()
    for words, planted, one, other in (
        ("Answer with the question last, against first", truth.last_shift, last, ~last),
        (
            "Answer by phone, against e-mail, where a lottery says which (the interviewers' spread aside)",
            truth.channel_shift.get("phone", 0.0),
            assigned == "phone",
            assigned == "email",
        ),
    ):
        counts.append(
            rows.count(words, planted, "score points", (beside, there & one), (beside, there & other), combined=gap)
        )
    return [*counts, *_counted_problems(study, rows, there, opinion - used_to)]


def _spread_between(who: str, planted: float, shifts: Floats) -> Counted:
    """The standard deviation between some people whose every shift is known."""
    counted = float(shifts.std(ddof=1))
    return Counted(
        truth=f"How far {who} are apart (standard deviation)",
        planted=planted,
        counted=counted,
        unit="score points",
        error=counted / float(np.sqrt(2 * (len(shifts) - 1))),
    )


def _counted_problems(study: SimulatedStudy, rows: CountedRows, there: Flags, opinion: Floats) -> list[Counted]:
    """How many have each problem, what it takes, and who complains of it."""
    truth, company, lives = study.truth, study.company, study.lives
    waves = truth.n_waves
    wave = np.repeat(np.arange(waves), len(company.contacts))
    labels = np.array(company.calendar.labels[:waves])
    large = np.tile((company.accounts["revenue"] >= truth.large_revenue).to_numpy()[company.account], waves)
    counts = []
    for at, problem in enumerate(truth.problems.values()):
        has = company.has[:, :waves, at].T.ravel()
        told = lives.complained[:, :waves, at].T.ravel()
        may = (large if problem.only_large else np.ones(len(has), dtype=bool)) & there
        where = "the contacts of large accounts" if problem.only_large else "all contacts"
        since = [*problem.share_from, None]
        shares = [problem.share, *problem.share_from.values()]
        for share, begins, ends in zip(shares, [None, *problem.share_from], since, strict=True):
            in_time = ((labels >= (begins or "")) & (labels < (ends or "9")))[wave]
            span = f", {begins or labels[0]} to {labels[(labels < (ends or '9'))][-1]}" if len(shares) > 1 else ""
            if in_time.any():
                words = f"{problem.label}: who has it, of {where}{span}"
                counts.append(rows.count(words, 100 * share, "%", (100 * has, may & in_time)))
        words = f"{problem.label}: what it takes from the opinion"
        parts = (opinion, may & ~has), (opinion, may & has)
        counts.append(rows.count(words, problem.points, "score points", *parts, combined=gap))
        words = f"{problem.label}: who complains in a quarter, of those who have it"
        counts.append(rows.count(words, 100 * problem.told, "%", (100 * told, there & has)))
    any_problem, any_told = (each[:, :waves].any(axis=2).T.ravel() for each in (company.has, lives.complained))
    words = "Who complains in a quarter, of those who have any problem"
    return [*counts, rows.count(words, np.nan, "%", (100 * any_told, there & any_problem))]


def counted_answers(study: SimulatedStudy) -> list[Counted]:
    """Who rejects, and who answers.

    Parameters
    ----------
    study : SimulatedStudy

    Returns
    -------
    list of Counted
    """
    truth, company, lives = study.truth, study.company, study.lives
    waves, rows = truth.n_waves, _rows_of_waves(study)
    must_be = [at for at, driver in enumerate(truth.drivers.values()) if driver.kind == "must-be"]
    rating = company.experience[:, :waves, must_be[0]].T.ravel()
    by_rating = company.rejects_by_rating(truth)[:, :waves].T.ravel()
    # those who leave and those who are called are not there as those who reject were; so all are counted
    counts = [
        rows.count(
            f"Who rejects (0-3) at a rating of {stars} of Product quality",
            100 * chance,
            "%",
            (100 * by_rating, rating == stars),
        )
        for stars, chance in enumerate(truth.rejection_by_rating, start=1)
    ]
    there = ~np.isnan(lives.hazard[company.account, :waves]).T.ravel()
    omits = np.tile(company.accounts["employee"].to_numpy()[company.account] == truth.employees - 1, waves)
    low = lives.score[:, :waves].T.ravel() <= 6
    listed, delivered = lives.listed.T.ravel(), lives.delivered.T.ravel()
    words = "Left off the list by one employee, of the contacts who would score 0-6"
    counts.append(rows.count(words, 100 * truth.omits, "%", (100 * ~listed, there & omits & low)))
    counts.append(rows.count("Not reached, of those invited", 100 * truth.not_reached, "%", (100 * ~delivered, listed)))
    answered = ~np.isnan(lives.responded.T.ravel())
    chance = np.nan_to_num(lives.answer_chance.T.ravel())
    score, role = lives.score[:, :waves].T.ravel(), np.tile(company.contacts["role"].to_numpy(), waves)
    disengaged = company.disengaged[company.account][:, :waves].T.ravel()
    complained = lives.complained[:, :waves].any(axis=2).T.ravel()
    times_lately = _invited_by_age(study).T.ravel()
    plain = delivered & ~disengaged & ~complained & (times_lately == 0)
    expected = np.array(truth.answer_by_role)[role] * np.exp(truth.answer_slope * (score - 8))
    for position, name in enumerate(MADE_UP_ROLES):
        words = f"Who answers, of {name}s who would give 8"
        of_role = plain & (role == position)
        known = np.where(of_role, np.exp(truth.answer_slope * (score - 8)), 0.0)
        counts.append(
            rows.count(
                words, 100 * truth.answer_by_role[position], "%", (100 * answered / np.where(known, known, 1), known)
            )
        )
    for words, planted, group in (
        ("Answering of the disengaged, against the same people engaged", truth.answer_if_disengaged, disengaged),
        (
            "Answering of those who complained, against the same people had they not",
            truth.answer_if_complained,
            complained & ~disengaged & (chance < truth.answer_cap) & (times_lately == 0),
        ),
        (
            "Answering of those invited twice lately by age, against the same people had they not been",
            truth.fatigue**2,
            (times_lately == 2) & ~disengaged & ~complained,
        ),
    ):
        known = np.where(delivered & group, expected, 0.0)
        counts.append(rows.count(words, planted, "times", (answered / np.where(known, known, 1), known)))
    return counts


def counted_moves(study: SimulatedStudy) -> list[Counted]:
    """How opinions move, and how far one answer tells the next: as drawn, there is no planted number.

    Parameters
    ----------
    study : SimulatedStudy

    Returns
    -------
    list of Counted
        With nan as what is planted: it follows from many planted numbers together.
    """
    truth, lives = study.truth, study.lives
    waves, fall = truth.n_waves, truth.fall_wave
    both = lives.listed[:, :-1] & lives.listed[:, 1:]
    rows = CountedRows(np.tile(study.company.account, waves - 1))
    given = lives.given
    answered = both & ~np.isnan(given[:, :-1]) & ~np.isnan(given[:, 1:])
    x, y = (np.nan_to_num(each).T.ravel() for each in (given[:, :-1], given[:, 1:]))
    pairs = answered.T.ravel()

    def correlation(xy: Floats, mx: Floats, my: Floats, xx: Floats, yy: Floats) -> Floats:
        return np.asarray((xy - mx * my) / np.sqrt((xx - mx**2) * (yy - my**2)))

    counts = [
        rows.count(
            "Correlation of one person's answers in two waves running",
            np.nan,
            "",
            *((part, pairs) for part in (x * y, x, y, x * x, y * y)),
            combined=correlation,
        )
    ]
    state = np.where(lives.rejects, 0, np.digitize(lives.opinion, _BETWEEN_STATES))[:, :waves]
    not_fall = np.array(study.company.calendar.labels[1:waves]) != fall
    before, after, there = state[:, :-1].T.ravel(), state[:, 1:].T.ravel(), (both & not_fall).T.ravel()
    names = ("detractor", "passive", "promoter")
    counts += [
        rows.count(
            f"Lasting opinion, wave to wave but for the fall: {one} to {other}",
            np.nan,
            "%",
            (100 * (after == end), there & (before == start)),
        )
        for start, one in enumerate(names)
        for end, other in enumerate(names)
    ]
    harm = np.array([problem.points >= 0.5 for problem in truth.problems.values()])
    troubled = study.company.has[:, 1:waves][:, :, harm].any(axis=2).T.ravel()
    slides = there & (before == 1) & (after == 0)
    counts.append(
        rows.count("Passives who slide: share who then have a problem", np.nan, "%", (100 * troubled, slides))
    )
    return counts


def counted_calls(study: SimulatedStudy) -> list[Counted]:
    """What calls do, as the lottery shows, and what judgement makes of it.

    Parameters
    ----------
    study : SimulatedStudy

    Returns
    -------
    list of Counted
    """
    truth, company, lives = study.truth, study.company, study.lives
    cases = lives.cases[lives.cases["wave"] + 1 < len(company.calendar.labels)]
    contact, wave = cases["contact"].to_numpy(), cases["wave"].to_numpy()
    assigned, helps = cases["assigned"].to_numpy(), cases["helps"].to_numpy()
    by_lot = (cases["assignment"] == "random").to_numpy()
    rows = CountedRows(company.account[contact])
    opinion = lives.opinion[contact, wave + 1]
    moved = lives.score[contact, wave + 1] - lives.score_uncalled[contact, wave + 1]
    share = helps[assigned & by_lot].mean() if (assigned & by_lot).any() else 0.0
    return [
        rows.count(
            "Next opinion of those whom the lottery had called, against those it held out",
            truth.calls.points * float(share),
            "score points",
            (opinion, by_lot & assigned),
            (opinion, by_lot & ~assigned),
            combined=gap,
        ),
        rows.count("Called, of the lottery's cases", 100 * (1 - truth.calls.held_out), "%", (100 * assigned, by_lot)),
        rows.count(
            "Fast queue, of the called", 100 * truth.calls.fast, "%", (100 * cases["fast"].to_numpy(), assigned)
        ),
        rows.count(
            "Next score, what a call in time that solved the problem added", np.nan, "score points", (moved, helps)
        ),
        rows.count(
            "Next opinion of those whom judgement had called, against those it passed over",
            np.nan,
            "score points",
            (opinion, ~by_lot & assigned),
            (opinion, ~by_lot & ~assigned),
            combined=gap,
        ),
    ]


def _rows_of_waves(study: SimulatedStudy) -> CountedRows:
    return CountedRows(np.tile(study.company.account, study.truth.n_waves))


def _invited_by_age(study: SimulatedStudy) -> Numbers:
    """How often each contact was invited by age shortly before each wave: (n_contacts, n_waves)."""
    plan, opens = study.lives.by_age, study.company.calendar.invited[: study.truth.n_waves]
    counted = np.zeros(study.lives.listed.shape, dtype=np.int64)
    day, contact = plan["day"].to_numpy(), plan["contact"].to_numpy()
    for at, opening in enumerate(opens):
        lately = contact[(day < opening) & (day >= opening - FATIGUE_DAYS)]
        counted[:, at] = np.bincount(lately, minlength=len(counted))
    return counted
