"""What survey exports call their columns and answers.

English, and common words in German, French, Russian and Ukrainian. Patterns are matched against
names in lower case with single blanks between words.
"""

from __future__ import annotations

import re

ROLES: dict[str, tuple[str, ...]] = {  # the strongest pattern of each first
    "likelihood_to_recommend": (
        (
            r"how likely .*recommend|likel\w* to recommend|^ltr\b|^nps( score)?$|net promoter score"
            r"|wie wahrscheinlich .*empfehl|quelle probabilité .*recommand|вероятн.* порекоменд|ймовірн.* порекоменд"
        ),
        r"\bnps\b|\bltr\b|net ?pro(moter)?\b|^would you recommend|weiterempfehl|recommand|рекоменд|порад",
    ),
    "respondent_id": (
        r"^resp(ondent)? ?(id|nu?m(ber)?|no|nr|key)?$|^response ?id$|^teilnehmer ?(id|nr)|^répondant|^респондент",
        r"^(survey|invitation|interview|case|record|contact|person|user)? ?id$|^(id|ид|номер) (respond|респ)\w*",
        r"(?<!pa)(?<!val)(?<!gr)id$",
    ),
    "customer_id": (
        (
            r"^(customer|client|kunden?|cust|member|loyalty card|card) ?(id|no|nr|nummer|number|key|code)$"
            r"|^(id|код|номер) (client|клиента|клієнта|покупателя)$"
        ),
    ),
    "account_id": (
        (
            r"^(account|company|organi[sz]ation|firm|firma|konto|société|compte|компания|компанія|организация|контрагент)"
            r" ?(id|no|nr|nummer|number|key|name|code)?$"
        ),
    ),
    "wave": (r"^(survey )?(wave|welle|vague|волна|хвиля|quarter|quartal|round|survey period)( ?(id|no|nr|name))?$",),
    "invited_at": (
        (
            r"^(invited|invitation|sent|send|survey sent)( ?(at|on|date|time))?$|einlad|versand(datum)?$"
            r"|date d (envoi|invitation)|отправ|приглаш|запрош|надісл"
        ),
    ),
    "responded_at": (
        (
            r"^(responded|response|answered|completed|submitted|finished|recorded|end|interview|survey)"
            r" ?(at|on|date|time|timestamp)$|^timestamp$|^submitdate$|antwortdatum|abgeschlossen|date de réponse"
            r"|дата (ответа|заполнения|відповіді)|отметка времени|позначка часу"
        ),
    ),
    "delivered": (r"^(was |is )?(delivered|delivery|reached|zugestellt|délivré|доставлен\w*)$",),
    "responded": (r"^(has |was )?(responded|answered|completed|finished|beantwortet|geantwortet|répondu|ответил\w*)$",),
    "touchpoint": (r"^touch ?point|^kontaktpunkt|^point de contact|^точка (контакта|контакту)",),
    "channel": (r"^(survey |collection )?(channel|kanal|canal|канал)$",),
    "interviewer": (r"^interviewer( ?(id|name|no))?$|^enquêteur|^интервьюер|^інтерв'?ю ?ер",),
    "callback_requested": (r"call ?back|contact me|may we contact|rückruf|^rappel|перезвон|обратн\w+ звон|передзвон",),
    "comment": (
        (
            r"\b(comments?|verbatim|feedback|reason|kommentar|begründung|anmerkung|commentaire|remarque)\b"
            r"|коммент|отзыв|комент|відгук"
        ),
        r"\bwhy\b|open (end|text)|warum|pourquoi|почему|чому",
    ),
    "design_weight": (r"^(design |survey |base ?|post ?|final ?)?(weights?|wt|wgt|gewicht\w*|poids|вес|вага)$",),
    "cluster": (r"^(cluster|psu|primary sampling unit|run ?id|sampling point)( ?(id|no))?$",),
    "stratum": (r"^(design |sampling )?(strat(a|um)|schicht|strate|страта?)( ?(id|no))?$",),
}
PERSONAL = re.compile(
    r"\be ?mail|\bphone|\bmobile|\btel(ephone)?\b|\b(first|last|full|sur|family|contact) ?name\b|^name$|\baddress"
    r"|vorname|nachname|telefon|\bprénom|\bnom\b|адрес|телефон|фамилия|имя|прізвище|ім я"
)
RATING = re.compile(
    r"satisf|\brating|\brated?\b|quality|intention|\bease\b|zufrieden|bewertung|qualität|qualité|оценк|удовлетв|оцінк|задовол"
)
OVERALL = re.compile(r"\boverall\b|(^|\d| )all$|gesamt|dans l ensemble|в целом|загалом")
OUTCOMES = {  # a yes is good, a yes is bad
    "good": r"\brecommended\b|\brenew|retained|bought again|repurchas|verlängert|renouvel|продлил|продовжив",
    "bad": r"churn|cancel|\bleft\b|\blapsed|gekündigt|résili|отток|ушел|ушёл|відтік|пішов",
}
AGREEMENT = {"strongly disagree": 1, "disagree": 2, "neutral": 3, "agree": 4, "strongly agree": 5}
