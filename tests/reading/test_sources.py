import csv
import gzip
import io
import re
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from nps_research.errors import ContractError
from nps_research.reading import containers, encodings, records
from nps_research.reading.sources import read_table, sha256_of
from tests.support.real_surveys import REAL

RUSSIAN = "ид;оценка;комментарий\n1;10;Всё понравилось, спасибо за быструю доставку\n2;3;Долго ждал ответа\n"
UKRAINIAN = "ід;оцінка;коментар\n1;10;Все сподобалося, дякую за ввічливий персонал\n2;3;Її відповідь ще не надійшла\n"
FRENCH = "id;note;commentaire\n1;10;Très bien, équipe à l'écoute\n2;3;Délai trop long, déçu par la qualité\n"
POLISH = "id;ocena;komentarz\n1;10;Świetna obsługa, dziękuję\n2;3;Zbyt długo czekałem na odpowiedź\n"


def write(folder: Path, content: str | bytes, name: str = "answers.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(path: Path, **options) -> list[list[str]]:
    frame = read_table(path, **options).frame
    return frame.fillna("").to_numpy().tolist()


# Encoding


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"),
        (UKRAINIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        (FRENCH, "latin1"),
        (POLISH, "cp1250"),
        ("id,nps,city\n1,10,Київ\n2,3,Lviv\n", "cp1251"),
        ("id,nps,ville\n1,10,Orléans\n2,3,Lyon\n", "latin1"),
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "utf-8-sig"),
        (UKRAINIAN, "utf-16"),
        (RUSSIAN, "utf-16-le"),
        (FRENCH, "utf-16-be"),
        (FRENCH.replace("\n", "\r\n"), "utf-16-le"),
    ],
)
def test_encoding_is_detected_and_said(tmp_path, text, encoding):
    table = read_table(write(tmp_path, text.encode(encoding)))
    expected = [line.split(table.read_with.get("separator")) for line in text.splitlines()]
    assert list(table.header) == expected[0]
    assert table.frame.to_numpy().tolist() == expected[1:]
    assert f"encoding {table.read_with['encoding']}, detected" in table.notes


def test_letters_far_down_the_file_still_settle_the_encoding(tmp_path):
    plain = "id;comment\n" + "1;nothing to say here\n" * 60_000
    table = read_table(write(tmp_path, (plain + "2;Очень хорошо, спасибо\n").encode("cp1251")))
    assert table.read_with.get("encoding") == "cp1251"
    assert table.frame["comment"].iloc[-1] == "Очень хорошо, спасибо"


def test_byte_order_mark_is_removed_and_said(tmp_path):
    path = write(tmp_path, b'\xef\xbb\xbf"id",nps\n1,9\n')
    for encoding in (None, "utf-8", "utf-8-sig"):
        table = read_table(path, encoding=encoding)
        assert table.header == ("id", "nps")
        assert "byte order mark removed" in table.notes


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told_by_its_zero_bytes(tmp_path, encoding):
    table = read_table(write(tmp_path, UKRAINIAN.encode(encoding)))
    assert table.read_with == {"encoding": encoding, "separator": ";"}
    assert table.notes == (f"encoding {encoding}, detected", "separator ';', detected")


def test_zero_bytes_in_plain_text_do_not_pass_for_utf_16(tmp_path):
    for content in (b"a,b\n1,x\x00y\n", b"a\x00,b\x00\n1,2\n" * 3, b"a,b\n" + b"\x00" * 40 + b",1\n"):
        assert read_table(write(tmp_path, content)).read_with["encoding"] == "utf-8"


def test_stated_encoding_is_used_and_not_called_detected(tmp_path):
    table = read_table(write(tmp_path, FRENCH.encode("latin1")), encoding="latin1", separator=";")
    assert (table.read_with.get("encoding"), table.read_with.get("separator"), table.notes) == ("latin1", ";", ())
    assert table.frame["commentaire"].iloc[0] == "Très bien, équipe à l'écoute"


@pytest.mark.parametrize(
    ("encoding", "newline"), [("utf-8", "\n"), ("utf-8", "\r\n"), ("utf-16", "\n"), ("utf-8", "\r")]
)
def test_undecodable_line_is_named_without_its_text(tmp_path, encoding, newline):
    good = newline.join(["id,comment", *(f"{row},fine" for row in range(2, 200_001)), ""]).encode(encoding)
    bad = b"\x00\xdc\x00\xdc" if encoding == "utf-16" else b"SECRET \xff"
    with pytest.raises(ContractError, match="line 200,001 ") as caught:
        read_table(write(tmp_path, good + bad), encoding=encoding)
    assert "SECRET" not in str(caught.value)


def test_broken_text_behind_a_byte_order_mark_is_an_error(tmp_path):
    with pytest.raises(ContractError, match="mark of utf-8-sig, but does not decode from line 2"):
        read_table(write(tmp_path, b"\xef\xbb\xbfid,nps\n\xff,9\n"))


@pytest.mark.parametrize(("stated", "hint"), [("lattin1", "did you mean 'latin1'"), ("rot13", "allowed are e.g.")])
def test_unknown_encoding(tmp_path, stated, hint):
    with pytest.raises(ContractError, match=hint):
        read_table(write(tmp_path, "a,b\n"), encoding=stated)


def test_a_few_bad_bytes_do_not_turn_a_file_of_utf_8_into_another(tmp_path):
    good = "id,city\r\n" + "".join(f"{row},Zürich\r\n" for row in range(200))
    table = read_table(write(tmp_path, good.encode() + "200,Zürich\r\n201,Bern".encode("cp1252")))
    assert table.read_with["encoding"] == "utf-8"
    assert table.frame["city"].value_counts().to_dict() == {
        "Zürich": 200,
        "Z\N{REPLACEMENT CHARACTER}rich": 1,
        "Bern": 1,
    }
    said = "1 piece of text not of that encoding, on line 202, replaced by the sign \N{REPLACEMENT CHARACTER}"
    assert said in table.notes
    with pytest.raises(ContractError, match="from line 202 on"):
        read_table(table.path, encoding="utf-8")


def test_lines_of_bad_bytes_are_counted_over_blocks(tmp_path, monkeypatch):
    lines = [b"\xc3\xbc" * 9, b"\xff", b"\xc3\xbc" * 9, b"a\xffb\xff"]
    for end in (b"\n", b"\r\n", b"\r"):
        for block in (1, 2, 3, 7, 1 << 20):
            monkeypatch.setattr(encodings, "BYTES_AT_ONCE", block)
            table = read_table(write(tmp_path, b"id" + end + end.join(lines)))
            assert any("3 pieces of text not of that encoding, on lines 3, 5," in note for note in table.notes)
            assert table.frame["id"].tolist()[1::2] == ["\ufffd", "a\ufffdb\ufffd"]


def test_japanese_of_windows_is_detected(tmp_path):
    text = "id,nps,city\n" + "".join(
        f"{row},9,{city}\n" for row, city in enumerate(["東京", "大阪", "名古屋", "ひらがな"])
    )
    table = read_table(write(tmp_path, text.encode("cp932")))
    assert table.read_with["encoding"] == "cp932"
    assert table.frame["city"].tolist() == ["東京", "大阪", "名古屋", "ひらがな"]


# Containers


def test_a_packed_file_is_unpacked_whatever_its_name(tmp_path):
    text = "id,nps\n1,9\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("__MACOSX/._answers.csv", b"\0")
        archive.writestr("answers.csv", text)
    for content, note in (
        (gzip.compress(text.encode()), "unpacked: a gzip file"),
        (packed.getvalue(), "unpacked: 'answers.csv', the only file in a zip archive"),
    ):
        for name in ("answers.csv", "answers.csv.gz", "answers.zip"):
            table = read_table(write(tmp_path, content, name))
            assert table.frame.to_dict("list") == {"id": ["1"], "nps": ["9"]}
            assert table.notes[0] == note


def test_what_cannot_be_unpacked(tmp_path, monkeypatch):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.csv", "a\n1\n")
        archive.writestr("two.csv", "a\n1\n")
    with pytest.raises(ContractError, match=r"answers\.csv is a zip archive of 2 files, where one is expected"):
        read_table(write(tmp_path, packed.getvalue()))
    with pytest.raises(ContractError, match="cannot be unpacked: it is damaged"):
        read_table(write(tmp_path, gzip.compress(b"a,b\n1,2\n" * 99)[:-20]))
    with pytest.raises(ContractError, match="holds a packed file that is no text"):
        read_table(write(tmp_path, gzip.compress(gzip.compress(b"a,b\n"))))
    monkeypatch.setattr(containers, "_LARGEST", 1 << 10)
    with pytest.raises(ContractError, match="unpacks to more than"):
        read_table(write(tmp_path, gzip.compress(b"a,b\n1,2\n" * 999)))


def test_a_workbook_or_parquet_file_named_csv_is_read_as_what_it_is(tmp_path):
    frame = pd.DataFrame({"id": ["a"], "nps": [9]})
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    book = read_table((tmp_path / "a.xlsx").rename(tmp_path / "a.csv"))
    assert book.frame.to_dict("list") == {"id": ["a"], "nps": ["9"]}
    assert book.notes[0] == "named .csv, but a workbook by its first bytes, and read as one"
    table = read_table((tmp_path / "a.parquet").rename(tmp_path / "a.xlsx"))
    assert table.notes[0] == "named .xlsx, but a Parquet file by its first bytes, and read as one"


def test_text_named_as_a_workbook_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(ContractError, match=r"its first bytes are text\. Named \.csv, it is read as a table"):
        read_table(write(tmp_path, "id,nps\n1,9\n", "answers.xlsx"))


@pytest.mark.parametrize("name", ["answers.csv", "answers.xlsx"])
@pytest.mark.parametrize("start", ["\ufeff\n<!DOCTYPE html>\n", "<HTML>\n", "<?xml version='1.0'?>\n", "<table>\n"])
def test_a_web_page_saved_as_an_export_is_refused_with_the_way_out(tmp_path, name, start):
    path = write(tmp_path, start + "<p>Please, sign in</p>\n<td>1</td>,<td>9</td>\n", name)
    with pytest.raises(ContractError, match=r"is a web page, not a table.*Download the export again"):
        read_table(path)


# Separator


@pytest.mark.parametrize(("separator", "said"), [(",", "','"), (";", "';'"), ("\t", "tab"), ("|", "'|'")])
def test_separator_is_detected_and_said(tmp_path, separator, said):
    text = 'id,nps,comment\n1,9,"well, a; b | c\td"\n2,8,\n'
    table = read_table(write(tmp_path, text.replace(",", separator).replace("well" + separator, "well,")))
    assert table.read_with.get("separator") == separator
    assert f"separator {said}, detected" in table.notes
    assert table.header == ("id", "nps", "comment")
    assert table.n_rows == 2 == len(table.frame)


def test_decimal_commas_and_commas_in_comments_do_not_pass_for_the_separator(tmp_path):
    path = write(tmp_path, "Why, in short?;weight\nslow, dear, rude;1,5\nfine;2,5\n")
    assert cells(path) == [["slow, dear, rude", "1,5"], ["fine", "2,5"]]


def test_one_column(tmp_path):
    table = read_table(write(tmp_path, "nps\n9\n10\n"))
    assert table.frame["nps"].tolist() == ["9", "10"]
    assert "no separator found: one column" in table.notes


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_the_line_that_tells_excel_the_separator_is_left_out(tmp_path, first):
    table = read_table(write(tmp_path, f"{first}\r\nid;nps\r\na,b;9\r\n"))
    assert table.frame.to_dict("list") == {"id": ["a,b"], "nps": ["9"]}
    assert (table.line.tolist(), table.read_with["separator"]) == ([3], ";")
    assert "the first line, sep=, is Excel's mark of the separator, and left out" in table.notes


@pytest.mark.parametrize("separator", [";;", '"', " ", ""])
def test_separator_stated_must_be_one(tmp_path, separator):
    with pytest.raises(ContractError, match="allowed is one character"):
        read_table(write(tmp_path, "a;b\n"), separator=separator)


# Records and lines


def test_lines_are_right_around_comments_of_several_lines_and_blank_lines(tmp_path):
    text = 'id,comment\r\n1,"one\r\ntwo\r\n\r\nfour"\r\n\r\n2,plain\r\n  \r\n3,"a ""quoted"" word"\r\n'
    table = read_table(write(tmp_path, text))
    assert table.line.tolist() == [2, 7, 9]
    assert table.frame["comment"].tolist() == ["one\r\ntwo\r\n\r\nfour", "plain", 'a "quoted" word']
    assert "2 blank lines skipped" in table.notes


def test_records_with_too_many_fields_are_rejected_and_those_with_too_few_filled_up(tmp_path):
    table = read_table(write(tmp_path, "a,b,c\n1,2,3\n1,2\n1,2,3,4\n4,5,6\n"))
    assert table.rejected.to_dict("records") == [{"line": 4, "reason": "has 4 fields where the header has 3"}]
    assert table.line.tolist() == [2, 3, 5]
    assert table.frame.fillna("-").to_numpy().tolist() == [["1", "2", "3"], ["1", "2", "-"], ["4", "5", "6"]]
    assert "1 record with fewer fields than the header, the first on line 3, filled up with blanks" in table.notes
    assert table.n_rows == 4 == len(table.frame) + len(table.rejected)


def test_a_stray_quote_costs_its_own_line_only(tmp_path):
    table = read_table(write(tmp_path, 'a,b\n1,"open\n2,x\n3,"text" after\n4,"fine"\n5,"open again\n6,y\n'))
    assert table.frame["a"].tolist() == ["2", "4", "6"]
    assert table.line.tolist() == [3, 5, 7]
    assert table.rejected["line"].tolist() == [2, 4, 6]
    assert set(table.rejected["reason"]) == {"has a quote that is never closed, or text after a closing quote"}
    assert table.n_rows == 6


@pytest.mark.parametrize("fill", ["", ",,"])
def test_lines_above_the_header_are_skipped_and_said(tmp_path, fill):
    titles = f"Report: NPS{fill}\nAccount: Example Ltd{fill}\n\n"
    table = read_table(write(tmp_path, titles + "ID,NPS,Region\n" + "".join(f"r{row},9,N\n" for row in range(9))))
    assert table.header == ("ID", "NPS", "Region")
    assert table.line.tolist() == [*range(5, 14)]
    assert "2 lines above the header skipped: the names of columns stand on line 4" in table.notes
    assert table.read_with["separator"] == ","


@pytest.mark.parametrize(
    "text",
    [
        "ID,NPS\na,9,x\nb,8,y\n",
        "Why\nslow, dear, rude\nfine\nbad\n",
        "ID,,\n1,9,5\n2,8,4\n",
        "a,b,c\nx,y,z,u,v,w\nd,e,f\n",
    ],
)
def test_a_header_is_not_taken_for_a_title(tmp_path, text):
    table = read_table(write(tmp_path, text), separator=",")
    assert table.header[0] == text.partition("\n")[0].split(",")[0]
    assert not any("skipped" in note for note in table.notes)


def test_invisible_characters_are_removed_and_counted(tmp_path):
    names = "nps\u200b,region,city\n"
    rows = "9,North\u200b,\u200eBasel\n\u00a08\u00a0,Nor\u00adth,Zug\n7,\ufeffNorth,\u0645\u06cc\u200c\u0634\n"
    table = read_table(write(tmp_path, names + rows))
    assert table.frame["nps"].tolist() == ["9", "8", "7"]
    assert table.frame["region"].tolist() == ["North"] * 3
    assert table.frame["city"].tolist() == ["Basel", "Zug", "\u0645\u06cc\u200c\u0634"]
    assert set(table.notes) >= {
        "invisible characters in 1 column name removed",
        "invisible characters removed from 3 cells of region",
        "invisible characters removed from 1 cell of city",
    }
    path = tmp_path / "table.parquet"
    table.frame.assign(region="North\u200b").to_parquet(path)
    assert read_table(path).notes == ("invisible characters removed from 3 cells of region",)


def test_blanks_around_names_and_cells_are_stripped(tmp_path):
    table = read_table(write(tmp_path, 'NETPRO  , "b"\n 9 , "x, y"\n\u00a08,z \n'))
    assert table.header == ("NETPRO", "b")
    assert "blanks around 1 column name removed" in table.notes
    assert table.frame.to_numpy().tolist() == [["9", "x, y"], ["8", "z"]]


def test_empty_cells_are_missing_and_empty_records_are_records(tmp_path):
    table = read_table(write(tmp_path, "a,b\n1,\n,\n"))
    assert table.frame.isna().to_numpy().tolist() == [[False, True], [True, True]]
    assert "1 record with every cell empty" in table.notes
    assert {str(dtype) for dtype in table.frame.dtypes} == {"str"}


def test_nul_bytes_are_kept(tmp_path):
    assert cells(write(tmp_path, b"a,b\n1,x\x00y\n")) == [["1", "x\0y"]]


def test_a_cell_of_ten_million_characters(tmp_path):
    limit = csv.field_size_limit(12_345)
    try:
        table = read_table(write(tmp_path, "a,b\n1," + "x" * 10_000_000 + "\n2,y\n"))
        assert csv.field_size_limit() == 12_345
    finally:
        csv.field_size_limit(limit)
    assert table.frame["b"].str.len().tolist() == [10_000_000, 1]


def test_chunks_join_seamlessly(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "_CELLS_AT_ONCE", 6)
    table = read_table(write(tmp_path, "a,b\n" + "".join(f"{row},{row * row}\n" for row in range(20))))
    assert table.frame["b"].tolist() == [str(row * row) for row in range(20)]
    assert table.line.tolist() == list(range(2, 22))


def test_wanted_columns_only(tmp_path):
    table = read_table(write(tmp_path, "a ,b,c\n1,2,3\n"), columns=["c", "a", "z"])
    assert table.frame.to_dict("list") == {"a": ["1"], "c": ["3"]}
    assert table.header == ("a", "b", "c")
    assert len(read_table(table.path, columns=[]).frame) == 1


def test_duplicate_and_unnamed_columns(tmp_path):
    table = read_table(write(tmp_path, "a,b,a, ,\n1,2,3,4,\n"))
    assert table.duplicate_columns == ("a",)
    assert table.frame.to_dict("list") == {"a": ["1"], "b": ["2"]}
    assert "2 columns without a name left out: number 4, 5" in table.notes
    assert "1 column name more than once, the first of each is kept: 'a'" in table.notes


def test_header_only(tmp_path):
    table = read_table(write(tmp_path, "a,b\n"))
    assert table.frame.shape == (0, 2)
    assert (table.n_rows, table.line.tolist()) == (0, [])
    assert {str(dtype) for dtype in table.frame.dtypes} == {"str"}


_UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(
    lambda cell: re.sub(f"[{_UNSEEN}]", "", cell).strip()
)


@given(
    rows=st.lists(st.lists(_CELL, min_size=3, max_size=3), max_size=8),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_csv_writer_writes_comes_back(tmp_path_factory, rows, separator, encoding):
    path = tmp_path_factory.mktemp("written") / "table.csv"
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=separator).writerows([["a", "b", "c"], *rows])
    table = read_table(path, separator=separator, encoding=encoding)
    assert len(table.rejected) == 0
    assert table.frame.fillna("").to_numpy().tolist() == rows
    assert len(table.line) == len(rows)


# Files


@pytest.mark.parametrize("content", [b"", b" \n\r\n\n", b"\xef\xbb\xbf"])
def test_empty_file(tmp_path, content):
    with pytest.raises(ContractError, match=r"answers\.csv is empty"):
        read_table(write(tmp_path, content))


def test_missing_file_suggests_its_neighbours(tmp_path):
    write(tmp_path, "a\n", "responses_2018.csv")
    with pytest.raises(ContractError, match=r"no file 'response_2018\.csv'.*did you mean 'responses_2018\.csv'\?"):
        read_table(tmp_path / "response_2018.csv")
    with pytest.raises(ContractError, match="no file"):
        read_table(tmp_path / "nowhere" / "x.csv")


def test_folder_unknown_ending_and_broken_header(tmp_path):
    with pytest.raises(ContractError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(ContractError, match=r"'\.xls' are not read; allowed: \.csv, \.tsv, \.txt, \.xlsx"):
        read_table(write(tmp_path, "a", "old.xls"))
    with pytest.raises(ContractError, match="the header, on line 2, has a quote"):
        read_table(write(tmp_path, '\n"a" b,c\n1,2\n'))


def test_parquet_keeps_types(tmp_path):
    path = tmp_path / "table.parquet"
    big = 2**53 + 1
    pd.DataFrame(
        {
            "id": pd.array([big, None, 3], dtype="Int64"),
            "nps": [9, 10, 0],
            "weight": [0.5, None, 2.0],
            "ok": pd.array([True, None, False], dtype="boolean"),
            "at": pd.to_datetime(["2025-01-02", "", "2025-01-03"]),
            "text": [" padded ", "", None],
            "kind": pd.Categorical(["a", "b", "a"]),
        }
    ).to_parquet(path)
    table = read_table(path)
    assert table.frame["id"].tolist() == [big, pd.NA, 3]
    assert {name: str(dtype) for name, dtype in table.frame.dtypes.items() if name != "at"} == {
        "id": "Int64", "nps": "Int64", "weight": "float64", "ok": "boolean", "text": "str", "kind": "str",
    }  # fmt: skip
    assert pd.api.types.is_datetime64_any_dtype(table.frame["at"])
    assert table.frame["text"].fillna("-").tolist() == ["padded", "-", "-"]
    assert (table.line.tolist(), table.read_with.get("encoding"), table.read_with.get("separator"), table.n_rows) == (
        [1, 2, 3],
        None,
        None,
        3,
    )
    assert read_table(path, columns=["nps"]).frame.columns.tolist() == ["nps"]


def test_of_parquet_the_wanted_columns_alone_are_read(tmp_path):
    path = tmp_path / "table.parquet"
    arrays = [pa.array([1, 2]), pa.array(["x", "y"]), pa.array([3, 4]), pa.array([5, 6])]
    parquet.write_table(pa.table(arrays, names=["a", " b", "a", "c.d"]), path)
    table = read_table(path, columns=["b", "a", "c.d"])
    assert table.frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"], "c.d": [5, 6]}
    assert (table.header, table.duplicate_columns) == (("a", "b", "c.d"), ("a",))
    assert len(read_table(path, columns=[]).frame) == 2


def test_unreadable_parquet(tmp_path):
    with pytest.raises(ContractError, match="cannot be read as Parquet"):
        read_table(write(tmp_path, "a,b\n1,2\n", "table.parquet"))


def test_hash_depends_on_names_contents_and_order_but_not_on_folders(tmp_path):
    one, two = write(tmp_path, "a\n1\n", "one.csv"), write(tmp_path, "b\n2\n", "two.csv")
    (tmp_path / "copy").mkdir()
    copy = write(tmp_path / "copy", "a\n1\n", "one.csv")
    renamed = write(tmp_path / "copy", "a\n1\n", "uno.csv")
    assert sha256_of([one, two]) == sha256_of([copy, two])
    assert len({sha256_of(paths) for paths in ([one, two], [two, one], [one], [renamed], [])}) == 5


# Real files


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "shape"),
    [
        ("sfo-airport/sfo_2017.csv", (2831, 97)),
        ("sfo-airport/sfo_2018.csv", (2809, 97)),
        ("carpentries/longterm_2017_10.csv", (476, 75)),
        ("garden-centre/nps.csv", (13954, 9)),
        ("taps-panel/taps_wave_participation.csv", (2457, 105)),
    ],
)
def test_real_files_are_read_whole(file, shape):
    table = read_table(REAL / file)
    assert table.frame.shape == shape
    assert len(table.rejected) == 0
    with (REAL / file).open(encoding=table.read_with.get("encoding"), newline="") as text:
        assert table.frame.iloc[-1].fillna("").tolist() == [cell.strip() for cell in list(csv.reader(text))[-1]]
