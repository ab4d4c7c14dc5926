"""What every result keeps to, whatever room it stands in."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import nps_research
from nps_research.results.drawing import plot_of
from nps_research.results.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterator


def results_below(kind: type[Result]) -> Iterator[type[Result]]:
    for each in kind.__subclasses__():
        yield each
        yield from results_below(each)


def without_a_figure(module: str) -> set[str]:
    """Classes of results, defined below a module, that say they have a figure and have none."""
    return {
        each.__name__
        for each in results_below(Result)
        if each.__module__.startswith(module)
        and each.has_figure
        and plot_of(each) is None
        and each.plot is Result.plot
        and not each.__subclasses__()  # a base of several results
    }


def test_every_result_with_a_figure_has_one() -> None:
    for module in pkgutil.walk_packages(nps_research.__path__, "nps_research."):
        import_module(module.name)
    assert len({each for each in results_below(Result) if each.__module__.startswith("nps_research.")}) > 40
    assert without_a_figure("nps_research.") == set()


def test_a_result_without_its_figure_is_found() -> None:
    @dataclass(frozen=True, kw_only=True, eq=False, repr=False)
    class Unregistered(Result):
        pass

    assert without_a_figure(__name__) == {"Unregistered"}
