"""What the repository promises of itself: one lock for all, thin notebooks, no traces of a machine."""

from __future__ import annotations

import ast
import json
import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from tests.support.made_once import made_once

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def files_of_the_project() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def locked() -> dict[str, set[str]]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    versions: dict[str, set[str]] = {}
    for package in packages:
        versions.setdefault(package["name"], set()).add(package.get("version", ""))
    return versions


def test_requirements_are_those_of_the_lock() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [re.match(r"^([A-Za-z0-9._-]+)==([^ ;]+)", line) for line in lines]
    assert all(pins), "every line pins one version"
    required = {(pin[1].lower(), pin[2]) for pin in pins if pin}
    versions = locked()
    assert len(required) > 80
    assert [pin for pin in required if pin[1] not in versions.get(pin[0], set())] == []


def test_every_dependency_is_in_the_requirements() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {line.split("==")[0] for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()}
    named = {re.split(r"[\[><=]", dependency)[0] for dependency in project["dependencies"]}
    assert named <= required
    entries = {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    assert {each["name"] for each in entries["nps-research"]["dependencies"]} == named


def imported_by(path: Path) -> set[str]:
    """First parts of the names of what a module imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return {name.split(".")[0] for name in names}


def test_the_package_imports_nothing_that_only_development_brings() -> None:
    imported = set().union(*(imported_by(path) for path in (ROOT / "nps_research").rglob("*.py")))
    foreign = imported - set(sys.stdlib_module_names) - {"nps_research"}
    required = {line.split("==")[0] for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()}
    projects = packages_distributions()
    brought = {name for name in projects if required & {each.lower().replace("_", "-") for each in projects[name]}}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    brought |= {re.split(r"[\[><=]", each)[0] for of_extra in extras.values() for each in of_extra}
    assert {"numpy", "nbclient", "typer"} <= foreign
    assert foreign <= brought


def test_conda_environment_takes_the_same_lock_and_pythons() -> None:
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "- -r requirements.lock" in environment
    assert f"python{project['requires-python']}" in environment


def test_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version} - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_file_knows_this_machine() -> None:
    traces = re.compile(r"/(?:root|home|work|farm|opt|Users)/[a-z]|\b(?:localhost:\d|127\.0\.0\.1:\d)")
    searched = [
        path
        for path in files_of_the_project()
        if path.suffix not in {".csv", ".db", ".lock", ".parquet", ".png", ".sav", ".xlsx"}
    ]
    found = [
        path.name for path in searched if path != Path(__file__) and traces.search(path.read_text(encoding="utf-8"))
    ]
    assert len(searched) > 50
    assert found == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_thin_and_without_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    about = notebook["metadata"]["nps_research"]
    assert about["title"]
    assert about["question"].endswith("?")
    assert isinstance(about["needs"], list)
    first = "".join(notebook["cells"][0]["source"])
    assert first.startswith(f"# {about['title']}\n\n*{about['question']}*\n\n")
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]
    tags = [tag for cell in code for tag in cell["metadata"].get("tags", [])]
    assert tags.count("parameters") == 1
    assert "headline" in tags
    for cell in code:
        tree = ast.parse("".join(cell["source"]))
        assert not [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda))]
        assert not {"getattr", "hasattr"} & {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert len(tree.body) <= 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_saved_by_make_lab_after_a_run_is_the_file_it_was(path: Path) -> None:
    config = SimpleNamespace(FileContentsManager=SimpleNamespace())
    given = {"get_config": lambda: config}
    runpy.run_path(str(ROOT / ".jupyter" / "jupyter_server_config.py"), init_globals=given)
    written = path.read_text(encoding="utf-8")
    ran = json.loads(written)
    ran["metadata"] |= {"widgets": {}, "language_info": {"name": "python", "version": "3.11.2"}}
    ran["metadata"]["kernelspec"] |= {"display_name": "Python 3 (ipykernel)"}
    for number, cell in enumerate(ran["cells"]):
        cell["metadata"]["scrolled"] = True
        if cell["cell_type"] == "code":
            cell |= {"execution_count": number, "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]}
    config.FileContentsManager.pre_save_hook(model={"type": "notebook", "content": ran}, path=path.name)
    saved: str = nbformat.writes(nbformat.from_dict(ran))  # type: ignore[no-untyped-call]
    assert saved.rstrip("\n") == written.rstrip("\n")


def test_the_readme_names_every_notebook_with_its_question() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        question = json.loads(path.read_text(encoding="utf-8"))["metadata"]["nps_research"]["question"]
        assert f"| `{path.stem}` | {question} |" in readme


def test_there_are_notebooks() -> None:
    names = ["00_study", "01_score", "02_thresholds", "03_drivers", "04_nonresponse", "08_callbacks", "09_problems"]
    assert [path.stem for path in NOTEBOOKS] == names


def test_importing_has_no_side_effects() -> None:
    program = """
import logging, sys, warnings
import narwhals, numpy, pandas, pyarrow, pydantic, scipy.stats

before = (list(warnings.filters), logging.root.level, list(logging.root.handlers))
import nps_research

assert before == (list(warnings.filters), logging.root.level, list(logging.root.handlers))
assert not {"matplotlib", "nbconvert", "IPython", "rich"} & set(sys.modules)

import nps_research.report

assert not {"lark", "rfc3987_syntax"} & set(sys.modules)  # they would take longer than all else
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""


PACKAGE = ROOT / "nps_research"
MODULES = sorted(PACKAGE.rglob("*.py"))


def top_level_names(path: Path) -> set[str]:
    """Functions, classes and constants that a module defines."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Assign():
                names |= {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}
            case ast.AnnAssign(target=ast.Name()):
                names.add(node.target.id)
    return names - {"__all__"}


def test_no_top_level_name_is_defined_in_two_modules() -> None:
    where: dict[str, list[str]] = {}
    for path in MODULES:
        for name in top_level_names(path):
            where.setdefault(name, []).append(path.relative_to(PACKAGE).as_posix())
    assert len(where) > 1000
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


def test_every_module_has_at_most_400_lines() -> None:
    lengths = {path.relative_to(PACKAGE).as_posix(): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: n for name, n in lengths.items() if n > 400} == {}


def test_the_root_holds_rooms_and_five_files() -> None:
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert files == {"__init__.py", "cli.py", "errors.py", "typing.py", "py.typed"}
    rooms = [path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert len(rooms) > 10
    assert [room.name for room in rooms if not (room / "__init__.py").is_file()] == []


def test_no_module_carries_its_rooms_name_as_a_prefix() -> None:
    def forms(room: str) -> set[str]:
        return {room, room.removesuffix("s"), f"{room}s"}

    places = [path.relative_to(PACKAGE) for path in MODULES]
    named = [
        place.as_posix()
        for place in places
        for room in place.parts[:-1]
        if any(place.stem.startswith(f"{form}_") for form in forms(room))
    ]
    assert len(places) > 150
    assert named == []


def test_what_is_made_once_is_kept_under_its_whole_name() -> None:
    made = {name: made_once(name, lambda _, name=name: name) for name in ("kept-at-0.08", "kept-at-0.5")}
    assert made == {name: name for name in made}
