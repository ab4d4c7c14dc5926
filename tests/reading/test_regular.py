"""The quick reader gives what the slow one gives: cells, lines, rejected records and notes."""

import csv
import io
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nps_research.errors import ContractError
from nps_research.reading import delimited, regular, text_lines
from nps_research.reading.records import Body
from nps_research.reading.sources import read_table
from tests.reading.test_reader_fuzz import CELLS, csv_texts, encoded, share

SETTINGS = [{}, {"header_rows": 1}, {"separator": ","}, {"encoding": "utf-8"}, {"separator": "\t", "header_rows": 1}]


def one_by_one(text, header, separator, columns):
    """The reference: every record by the csv module."""
    body = Body(header, columns)
    body.add(text_lines.parse_records(text.lines(), separator, text.line))
    return body


def told(path, **options):
    """All that a table says, or why there is none."""
    try:
        table = read_table(path, **options)
    except ContractError as error:
        return str(error)
    cells = {name: table.frame[name].fillna("<missing>").tolist() for name in table.frame}
    rejected = table.rejected.to_dict("list")
    return cells, table.line.tolist(), rejected, table.notes, table.header, dict(table.read_with)


def agree(content, *, windows=((1 << 20, 1 << 16), (16, 4)), **options):
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "answers.csv")
        path.write_bytes(content)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delimited, "read_body", one_by_one)
            slow = told(path, **options)
        for window, at_a_time in windows:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(regular, "_WINDOW", window)
                patch.setattr(regular, "_ONE_BY_ONE", at_a_time)
                assert told(path, **options) == slow
        return slow


@share(0.7)
@given(content=encoded(csv_texts()), options=st.sampled_from(SETTINGS))
@example(content=b'a,b\n1,"open\n2,x\n3,"text" after\n4,"fine"\n5,"open again\n6,y\n', options={})
@example(content=b"a,b\n\xef\xbb\xbf1,2\n\n3,4\n", options={"header_rows": 1})
@example(content=b'a,b\r1,"x\ry"\r\r2, "z"\r3', options={})
def test_any_text_is_read_alike(content, options):
    agree(content, **options)


@share(0.5)
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_writer_wrote_is_read_alike(rows, separator, end, quoting):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator=end).writerows(
        [["ID", "NPS", "Why"], *rows]
    )
    agree(buffer.getvalue().encode("utf-8", errors="replace"), separator=separator, encoding="utf-8")


def test_a_long_file_with_every_fault_is_read_alike():
    """Over several windows: comments of several lines, stray quotes, blank lines, records of any width."""
    draw = random.Random(20261128)
    kinds = [
        '{0},9,"two\nlines, and ""more"""', "{0},9,plain", '{0},9,"never closed', "", "  ", "{0}", "{0},1,2,3", ",,",
        '{0},9,5" of snow', '"{0}" ,8,x', " {0} , 7,\u00e9\u200b", '{0},9,""',
    ]  # fmt: skip
    lines = [draw.choice(kinds if draw.random() < 0.02 else kinds[:2]).format(row) for row in range(60_000)]
    slow = agree(("ID,NPS,Why\n" + "\n".join(lines)).encode(), windows=((1 << 20, 1 << 16), (1 << 13, 256)))
    assert len(slow[1]) > 50_000
    assert len(slow[2]["line"]) > 100


def test_regular_records_never_reach_the_slow_reader(tmp_path, monkeypatch):
    path = tmp_path / "answers.csv"
    path.write_bytes(b"ID;NPS;Why\r\n" + b'1;9;"a ""word""\r\nand another; here"\r\n2;;\r\n3\r\n\r\n4;1;2;3\r\n' * 9)
    monkeypatch.setattr(regular, "parse_records", None)
    table = read_table(path)
    assert len(table.frame) == 27
    assert len(table.rejected) == 9
    assert table.frame["Why"].iloc[0] == 'a "word"\r\nand another; here'
    assert table.line.tolist()[:4] == [2, 4, 5, 8]


def test_a_stray_quote_costs_little(tmp_path, monkeypatch):
    """Only the records around it are read one by one."""
    path = tmp_path / "answers.csv"
    path.write_text("ID,Why\n" + "1,plain\n" * 50_000 + '2,"broken" text\n' + "3,plain\n" * 50_000)
    slowly = []
    parse = text_lines.parse_records
    monkeypatch.setattr(
        regular, "parse_records", lambda *given: (slowly.append(record) or record for record in parse(*given))
    )
    table = read_table(path)
    assert table.rejected["line"].tolist() == [50_002]
    assert len(table.frame) == 100_000
    assert len(slowly) < 10_000
