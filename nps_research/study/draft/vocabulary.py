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
    r"|latitude|longitude"
)
RATING = re.compile(
    r"satisf|\bsat ?[a-z]|\brating|\brated?\b|quality|intention|\bease\b|zufrieden|bewertung|qualität|qualité|satisfa"
    r"|soddisf|tevreden|mulțumi|zadowol|оценк|удовлетв|оцінк|задовол"
)
OVERALL = re.compile(
    r"\boverall\b|\bosat\b|\bcsat\b|(^|\d| )all$|gesamt|dans l ensemble|en general|no geral|в целом|загалом|ogólnie"
)
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
AGREEMENT = {"strongly disagree": 1, "disagree": 2, "neutral": 3, "agree": 4, "strongly agree": 5}
SATISFACTION = (  # answers in words, low to high, in batteries of their own
    AGREEMENT,
    AGREEMENT | {"neither agree nor disagree": 3, "somewhat disagree": 2, "somewhat agree": 4},
    {
        **dict.fromkeys(("very dissatisfied", "very unsatisfied", "extremely dissatisfied"), 1),
        **dict.fromkeys(("dissatisfied", "unsatisfied", "somewhat dissatisfied"), 2),
        **dict.fromkeys(("neither satisfied nor dissatisfied", "neutral", "neither", "ok"), 3),
        **dict.fromkeys(("satisfied", "somewhat satisfied"), 4),
        **dict.fromkeys(("very satisfied", "extremely satisfied"), 5),
    },
    {"very poor": 1, "poor": 2, "fair": 3, "average": 3, "good": 4, "very good": 5, "excellent": 5},
    {"very difficult": 1, "difficult": 2, "neutral": 3, "easy": 4, "very easy": 5},
    {"never": 1, "rarely": 2, "sometimes": 3, "often": 4, "always": 5},
    {
        "sehr unzufrieden": 1,
        "unzufrieden": 2,
        "eher unzufrieden": 2,
        "teils teils": 3,
        "neutral": 3,
        "eher zufrieden": 4,
    }
    | {"zufrieden": 4, "sehr zufrieden": 5},
    {"très insatisfait": 1, "insatisfait": 2, "neutre": 3, "satisfait": 4, "très satisfait": 5},
    {"muy insatisfecho": 1, "insatisfecho": 2, "neutral": 3, "satisfecho": 4, "muy satisfecho": 5},
    {"muito insatisfeito": 1, "insatisfeito": 2, "neutro": 3, "satisfeito": 4, "muito satisfeito": 5},
    {"molto insoddisfatto": 1, "insoddisfatto": 2, "neutrale": 3, "soddisfatto": 4, "molto soddisfatto": 5},
    {"zeer ontevreden": 1, "ontevreden": 2, "neutraal": 3, "tevreden": 4, "zeer tevreden": 5},
    {"foarte nemulțumit": 1, "nemulțumit": 2, "neutru": 3, "mulțumit": 4, "foarte mulțumit": 5},
    {"дуже незадоволений": 1, "незадоволений": 2, "нейтрально": 3, "задоволений": 4, "дуже задоволений": 5},
    {"очень недоволен": 1, "недоволен": 2, "нейтрально": 3, "доволен": 4, "очень доволен": 5},
    {"bardzo niezadowolony": 1, "niezadowolony": 2, "neutralny": 3, "zadowolony": 4, "bardzo zadowolony": 5},
)
