"""What `import nps_research as nps` shows."""

import nps_research as nps

ROOMS = {
    "accounts",
    "callbacks",
    "counting",
    "drivers",
    "intake",
    "problems",
    "responding",
    "results",
    "score",
    "silence",
    "statistics",
    "study",
    "thresholds",
}
NAMES = {
    "OutcomeByScore",
    "ScoreDistribution",
    "Study",
    "attempt",
    "compare_net_promoter_scores",
    "compare_thresholds",
    "fit_drivers",
    "net_promoter_score",
    "nonresponse_signal",
    "open_study",
    "outcome_by_score",
    "palette",
    "score_distribution",
    "score_if_all_responded",
    "style",
    "trend",
}


def test_dir_is_a_page_of_names_and_rooms():
    assert set(dir(nps)) == ROOMS | NAMES
    assert set(nps.__all__) == ROOMS | NAMES
    assert len(dir(nps)) == len(set(dir(nps)))


def test_what_stands_in_the_root_is_what_stands_in_its_room():
    for name in NAMES:
        assert any(getattr(getattr(nps, room), name, None) is getattr(nps, name) for room in ROOMS), name


def test_every_room_names_what_it_shows():
    for room in ROOMS:
        shown = getattr(nps, room)
        assert shown.__doc__
        assert all(hasattr(shown, name) for name in shown.__all__)
