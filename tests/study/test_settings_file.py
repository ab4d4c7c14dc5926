import datetime as dt
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from pydantic import BaseModel

from nps_research.errors import ContractError, did_you_mean
from nps_research.reading.file_settings import SourceSettings
from nps_research.reading.values import MISSING_WORDS, NO, YES
from nps_research.study.settings_file import Settings, StudyFile, read_settings, read_study_file
from nps_research.study.standard_columns import TABLES
from nps_research.study.table_settings import WideSettings

LEAST = 'name = "S"\n[responses]\nfile = "a.csv"\n'


def read(folder, text):
    path = Path(folder, "study.toml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_study_file(path)


def fault(folder, text):
    with pytest.raises(ContractError) as caught:
        read(folder, text)
    message = str(caught.value)
    assert "\n" not in message
    assert "pydantic" not in message.lower()
    return message


# A file that is right


def test_the_least_that_is_a_study(tmp_path):
    study = read(tmp_path, LEAST)
    assert (study.name, study.made_up, study.customers, study.outcomes) == ("S", False, None, {})
    assert study.settings == Settings()
    assert [source.file for source in study.responses.sources] == ["a.csv"]


def test_a_byte_order_mark_is_no_fault(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbf" + LEAST.encode()).name == "S"


def test_the_conventions_are_the_defaults():
    settings = read_settings({})
    assert (settings.promoter_min, settings.detractor_max, settings.minimum_cell) == (9, 6, 10)
    assert (settings.response_window_days, settings.outcome_horizon_days) == (14, 180)
    assert (settings.cluster, settings.cluster_spans_waves, settings.data_until) == (None, False, None)


def test_a_file_overrides_its_table_and_inherits_the_rest(tmp_path):
    text = """
        name = "S"
        [responses]
        encoding = "latin1"
        separator = ";"
        [[responses.files]]
        file = "a.csv"
        wave = "2024"
        [[responses.files]]
        file = "b.csv"
        encoding = "cp1251"
    """
    first, second = read(tmp_path, text).responses.sources
    assert (first.wave, first.encoding, first.separator) == ("2024", "latin1", ";")
    assert (second.wave, second.encoding, second.separator) == (None, "cp1251", ";")


def test_dates_and_codes_keep_their_types(tmp_path):
    codes = 'missing_codes = { likelihood_to_recommend = [11, 99.0, "BLANK"] }\n'
    study = read(tmp_path, LEAST + codes + "[settings]\ndata_until = 2025-06-30\n")
    assert study.settings.data_until == dt.date(2025, 6, 30)
    assert study.responses.missing_codes == {"likelihood_to_recommend": [11, 99.0, "BLANK"]}


# A file that is wrong


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LEAST + "[settings]\npromotor_min = 9\n", "settings.promotor_min is not known: did you mean promoter_min?"),
        (LEAST + "[setings]\nseed = 1\n", "setings is not known: did you mean settings?"),
        (LEAST + "colums = {}\n", "responses.colums is not known: did you mean columns?"),
        ('nme = "S"\n[responses]\nfile = "a.csv"\n', "nme is not known: did you mean name?"),
        (LEAST + "[responses.drivers]\nscal = [1, 5]\ncolumns = { a = 'b' }\n", "did you mean scale?"),
        (LEAST + "[outcomes.x]\ntable = 'responses'\ncolum = 'c'\ndirection = 'good'\n", "did you mean column?"),
        (LEAST + "[settings]\nxyz = 9\n", "settings.xyz is not known (allowed: promoter_min"),
    ],
)
def test_a_typo_in_a_key_is_named_with_the_nearest_key(tmp_path, text, said):
    assert said in fault(tmp_path, text)


def test_a_typo_in_one_of_several_files_is_named(tmp_path):
    message = fault(tmp_path, 'name = "S"\n[[responses.files]]\nfil = "a.csv"\n')
    assert "fil is not known: did you mean file?" in message


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name = 5\n[responses]\nfile = 'a.csv'\n", "name"),
        (LEAST + "columns = ['NPS']\n", "responses.columns"),
        (LEAST + "[settings]\npromoter_min = 'nine'\n", "settings.promoter_min"),
        (LEAST + "[settings]\npromoter_min = 9.5\n", "settings.promoter_min"),
        (LEAST + "[settings]\ndata_until = 'soon'\n", "settings.data_until"),
        (LEAST + "made_up = 'perhaps'\n", "responses.made_up"),
        ("made_up = 'perhaps'\n" + LEAST, "made_up"),
        (LEAST + "separator = '; '\n", "responses.separator"),
        (LEAST + "separator = ''\n", "responses.separator"),
        (LEAST + "[responses.drivers]\nscale = [5, 1]\ncolumns = { a = 'b' }\n", "responses.drivers.scale"),
        (LEAST + "[responses.drivers]\nscale = [1, 3, 5]\ncolumns = { a = 'b' }\n", "responses.drivers.scale"),
        (LEAST + "[responses.drivers]\ncolumns = {}\n", "responses.drivers.columns"),
        (LEAST + "[responses.segments]\ncolumns = {}\n", "responses.segments.columns"),
        (LEAST + "[outcomes.x]\ntable = 'sales'\ncolumn = 'c'\ndirection = 'good'\n", "outcomes.x.table"),
        ("name = ''\n[responses]\nfile = 'a.csv'\n", "name"),
        ("name = 'S'\n", "responses is missing"),
        (LEAST + "[outcomes.x]\ntable = 'responses'\ncolumn = 'c'\ndirection = 'good'\n", "outcomes.x"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(tmp_path, text, key):
    message = fault(tmp_path, text)
    assert message.startswith("study.toml: ")
    assert key in message


@pytest.mark.parametrize(
    "line", ["response_window_days = '14'", "promoter_min = '9'", "minimum_cell = true", "cluster_spans_waves = 'yes'"]
)
def test_a_value_of_another_type_is_not_turned_into_the_right_one(tmp_path, line):
    assert line.split(" ")[0] in fault(tmp_path, LEAST + "[settings]\n" + line)


@pytest.mark.parametrize(
    ("text", "line"),
    [("name = 'S\n", 1), ("name = 'S'\n[responses\n", 2), ("name = 'S'\nname = 'T'\n", 2), ("name 'S'\n", 1)],
)
def test_bad_syntax_is_named_by_its_line(tmp_path, text, line):
    message = fault(tmp_path, text)
    assert message.startswith("study.toml is not valid TOML: ")
    assert f"line {line}" in message or "end of document" in message


def test_another_encoding_is_named(tmp_path):
    assert fault(tmp_path, 'name = "Опрос"\n'.encode("cp1251")) == "study.toml is not UTF-8 text. Save it as UTF-8."


def test_a_missing_file_says_how_to_make_one(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(ContractError, match=r"There is no study.toml in 'mine'.*nps-research init"):
        read_study_file(folder / "study.toml")


def test_the_folder_one_is_in_has_a_name(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    with pytest.raises(ContractError, match="'mine'"):
        read_study_file(Path("study.toml"))


@pytest.mark.parametrize("file", ["../a.csv", "/etc/passwd", "x/../../a.csv"])
def test_a_table_stays_in_the_data_folder(tmp_path, file):
    assert "must be a path inside the data folder" in fault(
        tmp_path, f'name = "S"\n[[responses.files]]\nfile = "{file}"\n'
    )


@pytest.mark.parametrize("file", ["../a.csv", "/etc/passwd"])
def test_a_single_table_stays_in_the_data_folder_too(tmp_path, file):
    assert "must be a path inside the data folder" in fault(tmp_path, f'name = "S"\n[responses]\nfile = "{file}"\n')


def test_all_faults_are_said_at_once(tmp_path):
    text = LEAST + "colums = {}\n[settings]\npromotor_min = 9\nseed = -1\n[outcomes.x]\ntable = 'responses'\n"
    message = fault(tmp_path, text)
    for key in ("responses.colums", "settings.promotor_min", "settings.seed", "outcomes.x.column is missing"):
        assert key in message


def test_both_ways_of_naming_files_are_one_too_many(tmp_path):
    both = LEAST + "[[responses.files]]\nfile = 'b.csv'\n"
    assert "not both" in fault(tmp_path, both)
    assert "needs either" in fault(tmp_path, "name = 'S'\n[responses]\n")


# Settings


OUT_OF_RANGE = [
    {"promoter_min": 0},
    {"promoter_min": 11},
    {"detractor_max": -1},
    {"detractor_max": 10},
    {"response_window_days": 0},
    {"response_window_days": 9999999999},
    {"outcome_horizon_days": 9999999999},
    {"minimum_cell": 10**9},
    {"seed": 10**30},
    {"outcome_horizon_days": 0},
    {"minimum_cell": 0},
    {"seed": -1},
    {"promoter_min": 6},
    {"promoter_min": 5, "detractor_max": 7},
    {"data_until": "31.12.2025"},
    {"cluster_spans_waves": "perhaps"},
    {"cluster": 5},
]


@pytest.mark.parametrize("values", OUT_OF_RANGE, ids=str)
def test_a_setting_out_of_range_gives_one_sentence(values):
    with pytest.raises(ContractError) as caught:
        read_settings(values)
    message = str(caught.value)
    assert message.startswith("settings: ")
    assert message.count(";") == 0
    assert message.endswith(".")
    assert any(name in message for name in values)


@pytest.mark.parametrize("values", OUT_OF_RANGE[:12], ids=str)
def test_a_setting_out_of_range_says_what_arrived(values):
    ((name, value),) = values.items()
    with pytest.raises(ContractError) as caught:
        read_settings(values)
    assert f"{name}" in str(caught.value)
    assert str(value) in str(caught.value).replace("equal to 0", "").replace("equal to 10", "")


def test_every_setting_out_of_range_is_said_at_once():
    with pytest.raises(ContractError) as caught:
        read_settings({"promoter_min": 11, "minimum_cell": 0, "seed": -1, "sead": 1})
    assert all(name in str(caught.value) for name in ("promoter_min", "minimum_cell", "seed", "sead is not known"))


@pytest.mark.parametrize("values", [{"promoter_min": 10}, {"promoter_min": 1, "detractor_max": 0}, {"seed": 0}])
def test_the_ends_of_a_range_are_in_it(values):
    settings = read_settings(values)
    assert {name: getattr(settings, name) for name in values} == values


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        read_settings({}).seed = 5


def test_did_you_mean_keeps_capitals_and_lists_what_is_allowed():
    assert did_you_mean("netpro", ["NETPRO", "WEIGHT"]) == ": did you mean NETPRO?"
    assert did_you_mean("xyz", ["NETPRO", "WEIGHT"]) == " (allowed: NETPRO, WEIGHT)"
    assert did_you_mean("xyz", []) == ""


# A wide file

WIDE = LEAST + '[responses.wide]\nwaves = ["a", "b"]\ncolumns = { responded = "r_{wave}" }\n'


def test_a_wide_file_is_one_source_a_wave(tmp_path):
    sources = read(tmp_path, WIDE).responses.sources
    assert [(source.file, source.wave, source.columns["responded"]) for source in sources] == [
        ("a.csv", "a", "r_a"),
        ("a.csv", "b", "r_b"),
    ]
    named = read(tmp_path, WIDE.replace('["a", "b"]', '{ "First" = "a", "Second" = "b" }')).responses.sources
    assert [(source.label, source.columns["responded"]) for source in named] == [
        ("a.csv, First", "r_a"),
        ("a.csv, Second", "r_b"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("r_{wave}", "r_a", "responses.wide: columns need {wave} where the wave is spelt"),
        ("r_{wave}", "r_{waev}", "columns need {wave}"),
        ('["a", "b"]', '["a", "a"]', "responses.wide.waves: a: listed more than once"),
        ('["a", "b"]', "[]", "responses.wide: needs at least one wave"),
        ('["a", "b"]', '{ "First" = "a", "Second" = "a" }', "spelt alike"),
        ('["a", "b"]', "[1, 2]", "responses.wide.waves"),
        ('{ responded = "r_{wave}" }', "{}", "responses.wide.columns"),
        ("responded =", "wave =", "has none of its own"),
        ("waves =", "wave =", "responses.wide.wave is not known: did you mean waves?"),
        ('file = "a.csv"\n', 'file = "a.csv"\ncolumns = { responded = "R" }\n', "responded: wide has a column"),
        ('file = "a.csv"\n', 'file = "a.csv"\ncolumns = { wave = "W" }\n', "wave: wide has a column"),
        ('file = "a.csv"\n', '[[responses.files]]\nfile = "a.csv"\n', "no [[...files]]"),
    ],
)
def test_what_a_wide_file_may_not_say(tmp_path, old, new, said):
    assert said in fault(tmp_path, WIDE.replace(old, new))


def test_customers_are_never_wide(tmp_path):
    text = LEAST + WIDE.removeprefix('name = "S"\n').replace("responses", "customers")
    assert "only responses may be wide" in fault(tmp_path, text)


# data/README.md says the same in words


DATA = Path(__file__).parents[2] / "data"


def keys_stated(value, found):
    """The keys stated at least once, of each kind of table in a study file."""
    if isinstance(value, BaseModel):
        found[type(value)] |= value.model_fields_set
        for name in value.model_fields_set:
            keys_stated(getattr(value, name), found)
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            keys_stated(item, found)
    return found


def toml_blocks():
    readme = (DATA / "README.md").read_text("utf-8")
    return [block.split("```")[0] for block in readme.split("```toml\n")[1:]]


def example():
    return toml_blocks()[0]


def test_the_examples_in_the_readme_are_studies_with_every_key_there_is():
    stated = defaultdict(set)
    for block in (example(), *toml_blocks()[2:]):
        keys_stated(StudyFile.model_validate(tomllib.loads(block)), stated)
    assert len(stated) == 16
    of_sources = set(tomllib.loads(toml_blocks()[1]))
    for model, keys in stated.items():
        described = of_sources if issubclass(model, SourceSettings) else set()
        assert keys | described == set(model.model_fields)
    assert of_sources <= set(SourceSettings.model_fields)


def test_the_example_of_a_wide_file_in_the_readme_has_every_key_of_one():
    stated = keys_stated(StudyFile.model_validate(tomllib.loads(toml_blocks()[2])), defaultdict(set))
    assert stated[WideSettings] == set(WideSettings.model_fields)


def test_the_example_in_the_readme_shows_the_defaults():
    stated = tomllib.loads(example())["settings"]
    for name, field in Settings.model_fields.items():
        assert field.default is None or stated[name] == field.default


def test_the_readme_names_every_column_and_which_are_private():
    readme = (DATA / "README.md").read_text("utf-8")
    _, *parts = re.split(rf"^`({'|'.join(TABLES)})`:", readme, flags=re.MULTILINE)
    assert set(parts[::2]) == set(TABLES)
    for table, text in zip(parts[::2], parts[1::2], strict=True):
        rows = re.findall(r"^\| `(\w+)` \| (\w+)(, private)? \| (.+) \|$", text, re.MULTILINE)
        said = {name: (kind, bool(private)) for name, kind, private, _ in rows if name in TABLES[table]}
        assert said == {name: (column.kind, column.private) for name, column in TABLES[table].items()}
        for name, _, _, meaning in rows:
            assert name not in TABLES[table] or meaning.startswith(TABLES[table][name].says)


def test_the_readme_lists_every_study_with_its_source_and_licence():
    readme = (DATA / "README.md").read_text("utf-8")
    folders = sorted(path.parent for path in DATA.glob("*/study.toml"))
    assert folders
    for folder in folders:
        study = read_study_file(folder / "study.toml")
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{folder.name}/` |"))
        assert study.name in row
        assert study.licence in row
        assert study.made_up or (study.source in row and study.url in row)


def test_the_readme_names_every_word_for_no_answer_yes_and_no():
    readme = (DATA / "README.md").read_text("utf-8")
    for word in filter(None, MISSING_WORDS):
        assert f"`{word}`" in readme
    flags = next(line for line in readme.splitlines() if line.startswith("| flag |"))
    for word in (*YES, *NO):
        assert word.rstrip(".").removesuffix(".0") in re.findall(r"\w+", flags)


def test_a_number_of_thousands_of_digits_is_refused_in_a_line(tmp_path):
    text = LEAST + "[settings]\nseed = " + "9" * 5000
    assert fault(tmp_path, text) == (
        "study.toml holds a number of thousands of digits: write a shorter one, or put a code of so many digits in "
        "quotation marks."
    )
    message = fault(tmp_path, LEAST + "[settings]\nseed = " + "9" * 4000)
    assert "settings.seed" in message
    assert len(message) < 250
