"""Three made-up exports, dressed as survey tools, banks and customer databases write them, to try `init` on.

``python -m nps_research.made_up.exports FOLDER`` writes them: an online shop's survey tool with who left in a second
file; a bank's workbook in German, with a cover sheet; a supplier's invitations in four waves, with bounces, and its
accounts. They are drawn by `simulate_study`, so what is planted there is in them; the same bytes each time but for
the workbook, which carries the time it was made.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd

from nps_research.made_up.simulate import SimulatedStudy, simulate_study
from nps_research.made_up.survey import NOT_USED
from nps_research.made_up.truth import Truth

SEED = 20261128
_BANK = ("Beratung", "Telefon", "Online-Banking", "Gebühren", "Filiale vor Ort", "Kredite")
_IN_GERMAN = {1: "1 - sehr unzufrieden", 5: "5 - sehr zufrieden"}


def write_exports(folder: Path) -> None:
    """Write the three made-up exports into a folder, each with what belongs to it.

    Parameters
    ----------
    folder : Path
        Made if it is not there; files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _shop(folder)
    _bank(folder)
    _supplier(folder)


def _drawn(part: int, **truth: Any) -> SimulatedStudy:
    return simulate_study(Truth(**truth), rng=np.random.default_rng([SEED, part]))


def _answered(study: SimulatedStudy) -> pd.DataFrame:
    return study.responses[study.responses["responded_at"].notna()].reset_index(drop=True)


def _shop(folder: Path) -> None:
    """As Qualtrics writes: three rows of names, questions and import ids; its own columns before ours; previews."""
    study = _drawn(1, n_accounts=2400, n_waves=4, contacts_per_account=1.0)
    answers = _answered(study)
    n, rng = len(answers), np.random.default_rng([SEED, 11])
    took = rng.integers(40, 400, n)
    score = answers["likelihood_to_recommend"]
    group = pd.cut(score.astype("Float64"), [-1, 6, 8, 10], labels=["Detractor", "Passive", "Promoter"]).astype(object)
    columns: dict[str, tuple[str, Any]] = {
        "StartDate": ("Start Date", answers["responded_at"] - pd.to_timedelta(took, unit="s")),
        "EndDate": ("End Date", answers["responded_at"]),
        "Status": ("Response Type", "IP Address"),
        "Progress": ("Progress", 100),
        "Duration (in seconds)": ("Duration (in seconds)", took),
        "Finished": ("Finished", "True"),
        "RecordedDate": ("Recorded Date", answers["responded_at"]),
        "ResponseId": ("Response ID", [f"R_{number:015x}" for number in rng.integers(16**14, 16**15, n)]),
        "ExternalReference": ("External Data Reference", answers["respondent_id"]),
        "DistributionChannel": ("Distribution Channel", "email"),
        "UserLanguage": ("User Language", answers["language"].str.upper()),
        "Q1_NPS_GROUP": ("How likely are you to recommend our shop to a friend or colleague? - Group", group),
        "Q1": ("How likely are you to recommend our shop to a friend or colleague?", score),
    }
    for at, (name, driver) in enumerate(study.truth.drivers.items(), 1):
        columns[f"Q2_{at}"] = (
            f"How satisfied were you with the following? - {driver.label}",
            answers[name].where(answers[name] != NOT_USED),
        )
    columns["Q3"] = ("What is the main reason for your answer?", answers["comment"])
    table = pd.DataFrame({name: values for name, (_, values) in columns.items()})
    previews = table.head(12).assign(Status="Survey Preview", ExternalReference=None)
    lines = pd.concat([previews, table], ignore_index=True)
    with (folder / "Shop NPS_November 30, 2025.csv").open("w", encoding="utf-8-sig", newline="") as file:
        written = csv.writer(file, lineterminator="\n")
        written.writerow(columns)
        written.writerow(question for question, _ in columns.values())
        written.writerow(json.dumps({"ImportId": name}) for name in columns)
        lines.to_csv(file, index=False, header=False, lineterminator="\n", date_format="%Y-%m-%d %H:%M:%S")
    customers = study.customers
    pd.DataFrame(
        {
            "Customer No": customers["customer_id"],
            "Customer since": customers["started_at"],
            "Cancelled on": customers["churned_at"],
            "Revenue last 12 months": customers["revenue"],
            "Region": customers["region"],
        }
    ).to_csv(folder / "crm_customers.csv", sep=";", index=False, lineterminator="\n", date_format="%d.%m.%Y")


def _bank(folder: Path) -> None:
    """A workbook as a market researcher sends it: a cover, a sheet of data under a title, and labelled ends."""
    study = _drawn(2, n_accounts=1500, n_waves=2, contacts_per_account=1.0)
    answers = _answered(study)
    branch = answers["account_id"].str[1:].astype(int) % 8
    branches = np.array(["Altona", "Eimsbüttel", "Harburg", "Bergedorf", "Wandsbek", "Nord", "Mitte", "Online"])
    columns: dict[str, Any] = {
        "Kundennummer": answers["respondent_id"],
        "Befragungsdatum": answers["responded_at"].dt.normalize(),
        "Filiale": branches[branch],
        "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen? (0-10)": answers["likelihood_to_recommend"],
    }
    alike = [name for name, driver in study.truth.drivers.items() if driver.kind != "must-be"]
    for name, shown in zip(alike, _BANK, strict=False):
        rated = answers[name].where(answers[name] != NOT_USED)
        columns[shown] = rated.astype(object).map(lambda value: _IN_GERMAN.get(value, value))
    columns["Anmerkungen"] = answers["comment"]
    table = pd.DataFrame(columns).astype(object)
    book = openpyxl.Workbook()
    cover = book.active
    cover.title = "Deckblatt"
    for line in ("Kundenbefragung der Musterbank (erfunden)", None, "Stand: 31.07.2024", "Vertraulich"):
        cover.append([line])
    data = book.create_sheet("Daten")
    data.append(["Einzeldaten, ungewichtet"])
    data.append([])
    data.append(list(table.columns))
    for row in table.itertuples(index=False):
        data.append([None if pd.isna(value) else value for value in row])
    book.save(folder / "Bank Kundenbefragung 2024.xlsx")


def _supplier(folder: Path) -> None:
    """Invitations of four waves with what became of each, and a list of accounts with revenue and who left."""
    study = _drawn(3, n_accounts=900, n_waves=4)
    rows, customers = study.responses, study.customers
    answered = rows["responded_at"].notna()
    role = rows["respondent_id"].map(customers.set_index("customer_id")["role"])
    status = np.where(answered, "Completed", np.where(rows["delivered"] == 1, "Sent", "Bounced"))
    columns: dict[str, Any] = {
        "Contact ID": rows["respondent_id"],
        "Account ID": rows["account_id"],
        "Contact Role": role,
        "Wave": rows["wave"],
        "Sent At": rows["invited_at"],
        "Email Status": status,
        "Completed At": rows["responded_at"],
        "NPS Score": rows["likelihood_to_recommend"],
    }
    for name, driver in study.truth.drivers.items():
        columns[f"{driver.label} (1-5)"] = rows[name].where(rows[name] != NOT_USED)
    columns["Comment"] = rows["comment"]
    pd.DataFrame(columns).to_csv(
        folder / "nps_invitations.csv", index=False, lineterminator="\n", date_format="%Y-%m-%d %H:%M"
    )
    accounts = customers.drop_duplicates("account_id")
    pd.DataFrame(
        {
            "Account": accounts["account_id"],
            "Industry": accounts["industry"],
            "Region": accounts["region"],
            "Start of contract": accounts["started_at"],
            "Churn date": accounts["churned_at"],
            "Annual revenue": accounts["revenue"],
        }
    ).to_csv(folder / "accounts.csv", index=False, lineterminator="\n", date_format="%Y-%m-%d")


if __name__ == "__main__":
    write_exports(Path(sys.argv[1]))
