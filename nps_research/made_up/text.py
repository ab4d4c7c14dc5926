"""Names of the made-up company's contacts, in four languages.

No name here belongs to anyone in particular: first names and surnames are common ones, drawn
apart. Surnames that change with gender are left out, so that every pair is a possible name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# language -> (as written, as in an e-mail address)
FIRST_NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Alice", "alice"), ("Brian", "brian"), ("Chloe", "chloe"), ("David", "david"), ("Emma", "emma"),
        ("George", "george"), ("Helen", "helen"), ("Ian", "ian"), ("Laura", "laura"), ("Simon", "simon"),
    ),
    "uk": (
        ("Олена", "olena"), ("Андрій", "andrii"), ("Оксана", "oksana"), ("Тарас", "taras"), ("Ірина", "iryna"),
        ("Богдан", "bohdan"), ("Наталія", "nataliia"), ("Сергій", "serhii"), ("Юлія", "yuliia"), ("Остап", "ostap"),
    ),
    "ro": (
        ("Ana", "ana"), ("Andrei", "andrei"), ("Cătălina", "catalina"), ("Dumitru", "dumitru"), ("Elena", "elena"),
        ("Ștefan", "stefan"), ("Ioana", "ioana"), ("Mihai", "mihai"), ("Raluca", "raluca"), ("Vlad", "vlad"),
    ),
    "ru": (
        ("Анна", "anna"), ("Борис", "boris"), ("Вера", "vera"), ("Дмитрий", "dmitrii"), ("Елена", "elena"),
        ("Игорь", "igor"), ("Марина", "marina"), ("Олег", "oleg"), ("Светлана", "svetlana"), ("Павел", "pavel"),
    ),
}  # fmt: skip
SURNAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Adams", "adams"), ("Baker", "baker"), ("Clarke", "clarke"), ("Dixon", "dixon"), ("Evans", "evans"),
        ("Fisher", "fisher"), ("Grant", "grant"), ("Hughes", "hughes"), ("O'Neill", "oneill"), ("Walker", "walker"),
    ),
    "uk": (
        ("Шевченко", "shevchenko"), ("Коваль", "koval"), ("Бондаренко", "bondarenko"), ("Ткачук", "tkachuk"),
        ("Мельник", "melnyk"), ("Кравець", "kravets"), ("Лисенко", "lysenko"), ("Гнатюк", "hnatiuk"),
        ("Поліщук", "polishchuk"), ("Їжак", "yizhak"),
    ),
    "ro": (
        ("Popescu", "popescu"), ("Ionescu", "ionescu"), ("Rusu", "rusu"), ("Ceban", "ceban"), ("Munteanu", "munteanu"),
        ("Țurcanu", "turcanu"), ("Lupu", "lupu"), ("Moraru", "moraru"), ("Șandru", "sandru"), ("Bălan", "balan"),
    ),
    "ru": (
        ("Белых", "belykh"), ("Гончар", "gonchar"), ("Дубко", "dubko"), ("Зима", "zima"), ("Король", "korol"),
        ("Мороз", "moroz"), ("Седых", "sedykh"), ("Ткач", "tkach"), ("Чайка", "chaika"), ("Черных", "chernykh"),
    ),
}  # fmt: skip


def draw_names(
    language: NDArray[Any], account: NDArray[Any], shares_mailbox: NDArray[Any], *, rng: np.random.Generator
) -> pd.DataFrame:
    """Names in the contacts' languages, and e-mail addresses at example.com and example.org.

    Parameters
    ----------
    language : ndarray of str, shape (n_contacts,)
        ``"en"``, ``"uk"``, ``"ro"`` or ``"ru"``.
    account : ndarray of int, shape (n_contacts,)
        Number of the contact's account; it is part of the address.
    shares_mailbox : ndarray of bool, shape (n_contacts,)
        Whose account has one mailbox, ``office@...``, for all.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        Columns `name` and `email`.

    Examples
    --------
    >>> import numpy as np
    >>> arguments = np.array(["uk", "en"]), np.array([7, 8]), np.array([False, True])
    >>> list(draw_names(*arguments, rng=np.random.default_rng(1))["email"])
    ['i.kravets@a7.example.org', 'office@a8.example.com']
    """
    picks = rng.integers(10, size=(len(language), 2))
    first = [FIRST_NAMES[code][pick] for code, pick in zip(language, picks[:, 0], strict=True)]
    last = [SURNAMES[code][pick] for code, pick in zip(language, picks[:, 1], strict=True)]
    people = pd.DataFrame(
        {
            "name": [f"{given[0]} {family[0]}" for given, family in zip(first, last, strict=True)],
            "local": [f"{given[1][0]}.{family[1]}" for given, family in zip(first, last, strict=True)],
            "account": account,
        }
    )
    namesake = people.groupby(["account", "local"]).cumcount()
    local = people["local"] + namesake.map(lambda number: str(number + 1) if number else "")
    local = local.where(~shares_mailbox, "office")
    domain = np.where(account % 2 == 0, "example.com", "example.org")
    email = [f"{name}@a{number}.{end}" for name, number, end in zip(local, account, domain, strict=True)]
    return pd.DataFrame({"name": people["name"], "email": email})
