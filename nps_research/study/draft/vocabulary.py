"""What survey exports call their columns and answers.

English, German, French, Spanish, Portuguese, Italian, Dutch, Romanian, Ukrainian, Russian and Polish. Patterns are
matched against names and questions in lower case with single blanks between words.
"""

from __future__ import annotations

import re

ROLES: dict[str, tuple[str, ...]] = {  # the strongest pattern of each first
    "likelihood_to_recommend": (
        (
            r"how likely .*(recommend|refer)|likel\w* to recommend|^ltr\b|^nps( score)?$|net promoter score"
            r"|wie wahrscheinlich .*empfehl|(probabilit|mesure).* recommand|probable .*recom[ie]"
            r"|prob(a|á)(bil|vel)\w* .*(recomend|indic)|probab\w* .*(consigli|raccomand)"
            r"|waarschijnlijk .*(aanbeve|aanra)"
            r"|probabil .*recom|вероятн.* (по)?рекоменд|ймовірн.* (по)?(рекоменд|рад)|prawdopodob.* polec"
        ),
        (
            r"\bnps\b|\bltr\b|net ?pro(moter)?\b|^would you recommend|\brecommend (us|our|this)|weiterempfehl"
            r"|recommand"
            r"|recomend|recomiend|\bindicar|consiglier|raccomand|aanbevel|рекоменд|порад|polec"
        ),
    ),
    "respondent_id": (
        r"^resp(ondent)? ?(id|nu?m(ber)?|no|nr|key)?$|^teilnehmer ?(id|nr)|^répondant|^респондент|^panell?ist",
        (
            r"^(user|person|people|contact|subscriber|visitor|guest|patient|employee|learner)s? ?(id|key|no|number)$"
            r"|^external (data )?reference$"
        ),
        (
            r"^(id|ид|номер) (respond|респ)\w*|^(survey|invitation|interview|case|record|response|answer)? ?id$|^$"
            r"|^token$"
        ),
        r"(?<!pa)(?<!val)(?<!gr)id$",
    ),
    "customer_id": (
        (
            r"^(customer|client|kunden?|cust|member|loyalty card|card|klant|cliente?|klient) ?(id|no|nr|nummer"
            r"|number|key|code)$"
            r"|^(id|код|номер|nr|cod) (de |do |del )?(client\w*|клиента|клієнта|покупателя|klienta)$"
        ),
    ),
    "account_id": (
        (
            r"^(account|company|organi[sz]ation|firm|firma|konto|société|compte|empresa|azienda|bedrijf|companie"
            r"|компания|компанія|организация|організація|контрагент|client company)"
            r" ?(id|no|nr|nummer|number|key|name|code)?$"
        ),
    ),
    "wave": (
        (
            r"^(survey )?(wave|welle|vague|onda|ola|golf|волна|хвиля|fala|quarter|quartal|trimestre|round"
            r"|survey period|period)"
            r"( ?(id|no|nr|name))?$|^(year ?month|month|yearmonth|monat|mois|mes|mês|mese|maand|місяць|месяц"
            r"|miesiąc)$"
        ),
    ),
    "invited_at": (
        (
            r"^(invited|invitation|sent|send|survey sent|request sent|email sent|distributed)( ?(at|on|date|time))?$"
            r"|^(date|time) (sent|invited)$|einlad|versand(datum)?$|date d (envoi|invitation)|fecha de env"
            r"|data (de )?env"
            r"|data invio|verzonden|отправ|приглаш|запрош|надісл|wysła"
        ),
    ),
    "responded_at": (
        (
            r"^(responded|response received|answered|completed|completion|submitted|submit|submission|finished"
            r"|answer)"
            r"( ?(at|on|date|time|timestamp))?( utc)?$|^(response|end|recorded|date) (date|time|received"
            r"|submitted|completed)$"
            r"|^submitdate$|antwortdatum|abgeschlossen|date de réponse|fecha de (respuesta|env[ií]o)"
            r"|data (da )?resposta"
            r"|дата (ответа|заполнения|відповіді)"
        ),
        (
            r"^(created|interview|survey|recorded|received)( ?(at|on|date|time|timestamp))?$|^date received$"
            r"|^timestamp$"
            r"|^(date|datum|fecha|data|дата)( (time|und|e|y) ?\w*)?$|^marca temporal$|^zeitstempel$|^horodateur$"
            r"|^carimbo de data|^informazioni cronologiche$|^tijdstempel$|отметка времени|позначка часу"
            r"|^sygnatura czasowa"
        ),
    ),
    "delivered": (
        (
            r"^(was |is )?(delivered|delivery|reached|zugestellt|délivré|entregado|entregue|доставлен\w*)$"
            r"|(delivery|request|invitation|email|send|sent|distribution) ?(delivery )?status$"
        ),
    ),
    "responded": (r"^(has |was )?(responded|answered|beantwortet|geantwortet|répondu|respondido|ответил\w*)$",),
    "touchpoint": (r"^touch ?point|^kontaktpunkt|^point de contact|^точка (контакта|контакту)",),
    "channel": (r"^(survey |collection |collector )?(channel|kanal|canal|kanaal|canale|канал)$",),
    "interviewer": (r"^interviewer( ?(id|name|no))?$|^enquêteur|^интервьюер|^інтерв'?ю ?ер",),
    "employee": (
        (
            r"^(employee|agent|advis[eo]r|consultant|sales ?(rep|representative|person|man|woman)|served by|clerk"
            r"|cashier|waiter|waitress|berater(in)?|mitarbeiter(in)?|verkäufer(in)?|conseill[eè]re?|менеджер|агент)"
            r"( name)?$"
        ),
    ),
    "callback_requested": (r"call ?back|contact me|may we contact|rückruf|^rappel|перезвон|обратн\w+ звон|передзвон",),
    "comment": (
        (
            r"\b(comments?|verbatim|feedback|reason|kommentar|begründung|anmerkung|commentaire|remarque|comentarios?"
            r"|comentários?|commento|opmerking|comentariu|komentarz)\b|коммент|отзыв|комент|відгук"
        ),
        r"\bwhy\b|open (end|text)|warum|pourquoi|por ?qu[eéê]|perch[eé]|waarom|почему|чому|dlaczego",
    ),
    "design_weight": (
        (
            r"^(design|survey|base|post|final|sampling|nps|rim|case)? ?(weights?|wt|wgt|gewicht\w*|poids|peso|waga"
            r"|вес|вага)"
            r"( ?(final|trimmed|raked|factor|var|var1))?$"
        ),
    ),
    "cluster": (r"^(cluster|psu|primary sampling unit|run ?id|sampling point)( ?(id|no))?$",),
    "stratum": (r"^(design |sampling )?(strat(a|um)|schicht|strate|страта?)( ?(id|no))?$",),
}
PLAIN_SCORE = re.compile(
    r"^(score|rating|response|answer|result|survey result|nota|note|puntuaci[oó]n|punteggio|bewertung|ocena"
    r"|оценка|оцінка)$"
)
# A short answer that stands for several people: a shop's, a household's, an office's.
CLUSTERS = re.compile(
    r"^(store|shop|branch|location|site|outlet|restaurant|hotel|clinic|school|team|agent|region|network|household|ip"
    r"|device|filiale|magasin|tienda|loja|negozio|winkel|магазин|філія|филиал|sklep) ?(id|no|nr|number|code|name)?$"
)
COMPANION = re.compile(r"\bgroup\b|\bsegment\b|\bcategory\b|\btype\b|\bsentiment\b|\bclass\b|gruppe|groupe|grupo")
GROUP_WORDS = {  # a companion column's values: the group of the answer, low to high
    **dict.fromkeys(("detractor", "detractors", "detraktor", "kritiker", "détracteur", "detractores", "detrattore"), 0),
    **dict.fromkeys(("detrator", "criticus", "детрактор", "критик", "krytyk", "unhappy", "negative"), 0),
    **dict.fromkeys(("passive", "passives", "neutral", "neutro", "pasivo", "passif", "passivo", "indifferent"), 1),
    **dict.fromkeys(("indifferenter", "passief", "нейтрал", "пасивний", "pasywny", "neutralny"), 1),
    **dict.fromkeys(("promoter", "promoters", "promotor", "promoteur", "promotore", "промоутер", "happy"), 2),
    "positive": 2,
}
NO_ANSWER = re.compile(
    r"^(i )?(don.?t|do not|does not) (know|apply)|^prefer not|^no (opinion|answer|response)|^not (sure"
    r"|applicable|asked)|^unsure"
    r"|^refused|^skipped|^(dk|dk/na|na)$|^wei(ß|ss) nicht|^keine (angabe|antwort|meinung)|^ne sa(it|is) pas"
    r"|^sans (avis|réponse)"
    r"|^no (s[eé]|contesta|sabe)|^n[aã]o (sei|sabe|se aplica)|^non (so|risponde)|^weet niet|^nu (știu|stiu)"
    r"|^не (знаю|відповів)"
    r"|^важко сказати|^затрудн|^nie (wiem|dotyczy)|^blank$",
    re.IGNORECASE,
)
LEAST_LIKELY = re.compile(
    r"not at all|very unlikely|least likely|überhaupt nicht|pas du tout|nada probable|improv|per niente"
    r"|совсем не|зовсім не"
)
MOST_LIKELY = re.compile(
    r"extremely likely|very likely|most likely|äußerst|tout à fait|muy probable|certamente|estremamente"
    r"|обязательно|напевно"
)
NOT_REAL = re.compile(r"preview|spam|^test|\btest\b|dummy|vorschau|бот", re.IGNORECASE)
NOT_REACHED = re.compile(
    r"bounce|undeliver|not delivered|failed|invalid|blocked|unzustell|rejeté|rebotad|недостав", re.IGNORECASE
)
FINISHED = re.compile(r"^(finished|complete|completed|progress|is complete|status complete|abgeschlossen|terminé)$")
EVERYBODY = (
    "anonymous",
    "anonym",
    "anonyme",
    "anónimo",
    "anônimo",
    "anonimo",
    "guest",
    "unknown",
    "none",
    "анонім",
    "аноним",
)
PERSONAL = re.compile(
    r"\be ?mail|\bphone|\bmobile|\btel(ephone)?\b|\b(first|last|full|sur|family|contact|recipient) ?(last"
    r"|first)? ?name\b"
    r"|^name$|\baddress|vorname|nachname|telefon|\bprénom|\bnom\b|адрес|телефон|фамилия|имя|прізвище|ім я|\bip\b"
    r"|latitude|longitude|\b(account|store|branch|shop|regional|area) (owner|manager)\b"
)
RATING = re.compile(
    r"satisf|\bsat ?[a-z]|\brating|\brated?\b|quality|intention|\bease\b|zufrieden|bewertung|qualität|qualité|satisfa"
    r"|soddisf|tevreden|mulțumi|zadowol|оценк|удовлетв|оцінк|задовол"
)
OVERALL = re.compile(
    r"\boverall\b|\bosat\b|\bcsat\b|(^|\d| )all$|gesamt|dans l ensemble|en general|no geral|в целом|загалом|ogólnie"
)
ALL_AT_ONCE = re.compile(
    r"(customer |client |general |total )?(satisfaction|zufriedenheit|satisfacci[oó]n|satisfação|soddisfazione"
    r"|tevredenheid|mulțumire|zadowolenie|удовлетвор[её]нность|задоволеність)( score| rating| level)?"
)  # a rating's whole name
REVERSED = re.compile(
    r"\beffort\b|\bdifficult|\bproblem|\bwaiting|\bcomplain|\bhard\b|aufwand|effort|difficile|esfuerzo"
)
OUTCOMES = {  # a yes is good, a yes is bad
    "good": r"\brecommended\b|\brenew|retained|bought again|repurchas|verlängert|renouvel|продлил|продовжив",
    "bad": r"churn|cancel|\bleft\b|\blapsed|gekündigt|résili|отток|ушел|ушёл|відтік|пішов",
}
HAS_LEFT = re.compile(
    r"^(churned|cancell?ed|canceled|closed|lapsed|left|terminated|lost|inactive|gekündigt|inaktiv|résilié|inactif|baja"
    r"|inactivo|inativo|cancelad[oa]|disdetto|opgezegd|reziliat|ушел|ушёл|отключ[её]н|пішов|відключений|odszedł)$",
    re.IGNORECASE,
)
HAS_STAYED = re.compile(
    r"^(active|open|current|retained|renewed|live|aktiv|actif|activ[oa]?|ativo|attivo|actief|активен|активный|активний"
    r"|aktywny)$",
    re.IGNORECASE,
)


def is_overall(name: str) -> bool:
    """Tell a rating of everything at once by its name.

    Examples
    --------
    >>> is_overall("Overall satisfaction"), is_overall("Satisfaction"), is_overall("Satisfaction with delivery")
    (True, True, False)
    """
    words = " ".join(name.casefold().replace("_", " ").split())
    return OVERALL.search(words) is not None or ALL_AT_ONCE.fullmatch(words) is not None


def _levels(*words: str) -> dict[str, int]:
    """Words of each level, low to high, those of one level with a bar between."""
    return {word: level for level, of_level in enumerate(words, start=1) for word in of_level.split("|")}


SATISFACTION = (  # answers in words, low to high, in batteries of their own; signs between words are blanks
    _levels(
        "strongly disagree|totally disagree|completely disagree",
        "disagree|somewhat disagree|tend to disagree",
        "neutral|neither agree nor disagree|neither|undecided",
        "agree|somewhat agree|tend to agree",
        "strongly agree|totally agree|completely agree",
    ),
    _levels(
        "strongly disagree",
        "disagree",
        "somewhat disagree|slightly disagree",
        "neutral|neither agree nor disagree",
        "somewhat agree|slightly agree",
        "agree",
        "strongly agree",
    ),
    _levels(
        "very dissatisfied|very unsatisfied|extremely dissatisfied|very unhappy",
        "dissatisfied|unsatisfied|somewhat dissatisfied|unhappy",
        "neither satisfied nor dissatisfied|neutral|neither|ok",
        "satisfied|somewhat satisfied|happy",
        "very satisfied|extremely satisfied|very happy",
    ),
    _levels(
        "extremely dissatisfied|very dissatisfied",
        "moderately dissatisfied|dissatisfied",
        "slightly dissatisfied|somewhat dissatisfied",
        "neither satisfied nor dissatisfied|neutral",
        "slightly satisfied|somewhat satisfied",
        "moderately satisfied|satisfied",
        "extremely satisfied|very satisfied",
    ),
    _levels("very poor|terrible|very bad", "poor|bad", "fair|average|ok", "good", "very good|excellent"),
    _levels("poor", "fair", "good", "very good", "excellent"),
    _levels("very difficult", "difficult", "neutral|neither easy nor difficult", "easy", "very easy"),
    _levels("never", "rarely|seldom", "sometimes", "often", "always"),
    _levels(
        "sehr unzufrieden|stimme überhaupt nicht zu|trifft überhaupt nicht zu|trifft gar nicht zu",
        "unzufrieden|eher unzufrieden|stimme eher nicht zu|trifft eher nicht zu|stimme nicht zu",
        "teils teils|neutral|weder noch|unentschieden|weder zufrieden noch unzufrieden",
        "zufrieden|eher zufrieden|stimme eher zu|trifft eher zu|stimme zu",
        "sehr zufrieden|stimme voll zu|stimme voll und ganz zu|trifft voll zu|trifft voll und ganz zu|stimme völlig zu",
    ),
    _levels("sehr schlecht", "schlecht", "mittel|mittelmäßig|befriedigend", "gut", "sehr gut"),
    _levels(
        "très insatisfait|très insatisfaite|pas du tout d accord|pas du tout satisfait",
        "insatisfait|insatisfaite|plutôt insatisfait|plutôt pas d accord|pas d accord|peu satisfait",
        "neutre|ni d accord ni pas d accord|ni satisfait ni insatisfait|moyennement satisfait",
        "satisfait|satisfaite|plutôt satisfait|plutôt d accord|d accord",
        "très satisfait|très satisfaite|tout à fait d accord|tout à fait satisfait",
    ),
    _levels(
        "muy insatisfecho|muy insatisfecha|totalmente en desacuerdo|muy en desacuerdo",
        "insatisfecho|insatisfecha|en desacuerdo|algo insatisfecho|algo en desacuerdo",
        "neutral|ni de acuerdo ni en desacuerdo|ni satisfecho ni insatisfecho|indiferente",
        "satisfecho|satisfecha|de acuerdo|algo satisfecho|algo de acuerdo",
        "muy satisfecho|muy satisfecha|totalmente de acuerdo|muy de acuerdo",
    ),
    _levels(
        "muito insatisfeito|muito insatisfeita|discordo totalmente",
        "insatisfeito|insatisfeita|discordo|discordo parcialmente",
        "neutro|nem concordo nem discordo|nem satisfeito nem insatisfeito|indiferente",
        "satisfeito|satisfeita|concordo|concordo parcialmente",
        "muito satisfeito|muito satisfeita|concordo totalmente",
    ),
    _levels(
        "molto insoddisfatto|molto insoddisfatta|per niente d accordo|completamente in disaccordo",
        "insoddisfatto|insoddisfatta|in disaccordo|poco d accordo|poco soddisfatto",
        "neutrale|né d accordo né in disaccordo|né soddisfatto né insoddisfatto|abbastanza soddisfatto",
        "soddisfatto|soddisfatta|d accordo",
        "molto soddisfatto|molto soddisfatta|completamente d accordo|molto d accordo",
    ),
    _levels(
        "zeer ontevreden|helemaal mee oneens|helemaal niet mee eens",
        "ontevreden|mee oneens|oneens",
        "neutraal|niet mee eens niet mee oneens",
        "tevreden|mee eens|eens",
        "zeer tevreden|helemaal mee eens",
    ),
    _levels(
        "foarte nemulțumit|foarte nemulțumită|dezacord total",
        "nemulțumit|nemulțumită|dezacord|nu sunt de acord",
        "neutru|nici mulțumit nici nemulțumit",
        "mulțumit|mulțumită|de acord|sunt de acord",
        "foarte mulțumit|foarte mulțumită|acord total|total de acord",
    ),
    _levels(
        "дуже незадоволений|дуже незадоволена|зовсім не згоден|повністю не згоден",
        "незадоволений|незадоволена|скоріше незадоволений|не згоден|скоріше не згоден",
        "нейтрально|важко сказати напевно|ні задоволений ні незадоволений",
        "задоволений|задоволена|скоріше задоволений|згоден|скоріше згоден",
        "дуже задоволений|дуже задоволена|повністю згоден|цілком згоден",
    ),
    _levels(
        "очень недоволен|очень недовольна|совершенно не согласен|полностью не согласен",
        "недоволен|недовольна|скорее недоволен|не согласен|скорее не согласен|не удовлетворен",
        "нейтрально|ни то ни другое|затрудняюсь выбрать",
        "доволен|довольна|скорее доволен|согласен|скорее согласен|удовлетворен",
        "очень доволен|очень довольна|полностью согласен|полностью удовлетворен",
    ),
    _levels(
        "bardzo niezadowolony|bardzo niezadowolona|zdecydowanie się nie zgadzam|zdecydowanie nie zgadzam się",
        "niezadowolony|niezadowolona|nie zgadzam się|raczej się nie zgadzam|raczej niezadowolony",
        "neutralny|neutralnie|ani się zgadzam ani się nie zgadzam|trudno powiedzieć",
        "zadowolony|zadowolona|zgadzam się|raczej się zgadzam|raczej zadowolony",
        "bardzo zadowolony|bardzo zadowolona|zdecydowanie się zgadzam|zdecydowanie zgadzam się",
    ),
)
