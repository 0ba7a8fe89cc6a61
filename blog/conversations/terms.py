"""What the words of a question and of a text are compared by. Pure, and for any language.

Scripts that put no spaces between words are compared by pairs of neighbouring characters, since the search takes each
character for a word. Of other words the accents go, and what English hangs on their ends.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from blog.indexing.words import SEPARATOR, separate

# A longer one is no word, but its beginning is compared.
_LONGEST = 40
# In the scripts of India, vowels are signs on a letter, and a part of the word.
_WORD = re.compile(rf"(?:{SEPARATOR}.{SEPARATOR})+|(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff])+", re.DOTALL)
_NAME, _INNER_CAPITAL = re.compile(r"[A-Za-z0-9]+"), re.compile(r"[a-z][A-Z]")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
# Accents, and the signs for vowels in Arabic and Hebrew.
_SIGNS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_ARABIC = re.compile("^(?:[\u0648\u0641]?(?:\u0627\u0644|\u0628\u0627\u0644|\u0643\u0627\u0644)|\u0648?\u0644\u0644)")
_VOWEL = re.compile("[aeiouy]")
# English endings, the longest first, and what stands for them.
_ENDINGS = (
    ("ifications", "if"), ("ification", "if"), ("izations", "iz"), ("ization", "iz"), ("ations", ""), ("ation", ""),
    ("abilities", "abl"), ("ability", "abl"), ("ibility", "ibl"), ("iveness", "iv"), ("fulness", ""), ("ating", ""),
    ("ators", ""), ("ator", ""), ("ments", ""), ("ates", ""), ("ated", ""), ("ate", ""), ("ment", ""), ("ness", ""),
    ("ings", ""), ("ions", ""), ("ing", ""), ("ion", ""), ("ies", ""), ("ied", ""), ("ily", ""), ("ers", ""),
    ("ed", ""), ("er", ""), ("es", ""), ("ly", ""), ("y", ""), ("e", ""),
)  # fmt: skip
_SHORTEST_ROOT = 3
# As British and as American writers spell them.
_SPELT = re.compile("(?<=..)(?:(ou)(?=r$)|(is)$)")
_DOUBLED = re.compile(r"([bdfgmnprt])\1$")
# What questions are put with says nothing of what they are about.
_EMPTY = """
    a able about above actually after again already also although always am among an and another any anybody anyone
    anything are around as ask asking at be because been before being below between both but by came can cannot come
    comes coming could did do does doing don done during each either else especially etc ever every everybody everyone
    everything explain few for from get gets getting give given gives go goes going gone got had has have having he
    hello help hers hi him his how however i if in instead into is isn it its itself just kind know let like make makes
    making many maybe me mean means more most much must my myself need needed needs never no nobody nor not nothing of
    off often ok on once one ones only onto or other others our ours out over own per perhaps please possible possibly
    put puts question questions quite rather really s same saw say says see seen shall she should since so some
    somebody someone something sometimes sort still such t take takes taking tell than thank thanks that the their
    theirs them themselves then there these they thing things this those though through to too toward towards tried try
    trying under until up upon us use used useful uses using usually very via want wants was way ways we well were what
    whatever when whenever where wherever whether which while who whom whose why will with within without won work
    working works would yet you your yours
"""
# What stands in texts of every kind says less of what they are about than its being rare in one text.
_COMMON = """
    able add added allowed back bad become best better big bring care case change changed changes check close come
    common complete cost day days different easy end enough example fact far fast find finish first follow following
    free full future general good great happen happens hard help high hold home hour idea important include including
    keep large last late later learn least leave left less level life light live long look low main man matter minute
    moment month move name near new next nice note number old open order part past pay people person place plan play
    point problem quick read ready real reason result room run second set several short side simple single small soon
    special stand start state stay step stop story strong sure talk team thought time times today together top total
    turn two understand usual value view wait want watch week whole wide word words world write wrong year years young
"""
# The same in German, French, Spanish, Russian, Arabic and Hindi, as far as it is no word of English.
_EMPTY_ELSEWHERE = """
    wie wo wer wen wem wessen warum wieso weshalb wann welche welcher welches welchen welchem womit wozu wohin woher
    kann kannst können könnte muss müssen soll sollte darf ist sind wird werden wurde hat haben gibt ich du er sie es
    wir ihr mich mir sich mein meine der das dem ein eine einen einem einer eines und oder aber nicht kein keine mit
    von vom für auf aus bei nach zu zum zur im ins auch noch dann wenn dass
    comment où quand qui que quoi quel quelle quels quelles pourquoi est sont peut puis faut je tu il elle nous vous
    ils elles le la les un une des du de et ou mais avec dans sur ce cette ces mon ma mes ne pas
    cómo dónde cuándo quién qué cuál cuáles por para puedo puede es son está hay el los las una unos unas del al pero
    con en se su mi lo
    как где когда кто что чем какой какая какое какие почему зачем можно ли это и или в на с к по для от из у я мне не
    كيف متى أين ما ماذا من هل لماذا هو هي هذا هذه في على عن إلى مع يتم
    कैसे कहाँ कब क्या कौन क्यों है हैं का की के में से को और या यह
"""
# The same of Chinese, and the syllables that Japanese puts its words together with.
_FUNCTION = frozenset("的了吗嗎呢吧啊是在我你您他她它们們这這那哪个個些如何怎么麼什谁誰请請与與及或也就都而且把被让讓")
_FUNCTION |= frozenset(map(chr, range(0x3041, 0x3097)))
_EMPTY_WORDS, _COMMON_WORDS = frozenset((_EMPTY + _EMPTY_ELSEWHERE).split()), frozenset(_COMMON.split())


def words_of(text: str) -> list[str]:
    """The words of a text, small, in order; a pair of neighbouring characters where words are not parted."""
    if text.isascii():
        return [word[:_LONGEST] for word in _WORD.findall(text.lower())]
    words: list[str] = []
    for found in _WORD.findall(_SIGNS.sub("", separate(text).lower())):
        if found[0] != SEPARATOR:
            words.append(found[:_LONGEST])
        elif len(found) == 3:  # it stands alone
            words.append(found[1])
        else:
            words += [one + other for one, other in pairwise(found[1::3])]
    return words


def parts_of(text: str) -> list[str]:
    """The words within the names that programs are made of: `BeautifulSoup` has two, and other words have none."""
    found: list[str] = []
    for name in _NAME.findall(text) if _INNER_CAPITAL.search(text) else ():
        if _INNER_CAPITAL.search(name):
            found += [part.lower() for part in _PARTS.findall(name[: 2 * _LONGEST]) if len(part) > 1]
    return found


def is_empty(word: str) -> bool:
    """Whether questions are only put with that word."""
    return word in _EMPTY_WORDS or (len(word) <= 2 and not _FUNCTION.isdisjoint(word))


def is_common(word: str) -> bool:
    """Whether the word stands in texts of every kind."""
    return word in _COMMON_WORDS


@lru_cache(20_000)
def root_of(word: str) -> str:
    """What is left of a word when its accents and its ending are gone, so that its forms are the same."""
    if not word.isascii():
        # Composed again, for there are scripts whose letters come apart.
        bare = _SIGNS.sub("", unicodedata.normalize("NFKD", word.casefold()))
        word = unicodedata.normalize("NFC", bare)
    if not word.isascii():
        return _ARABIC.sub("", word) if len(word) > 4 else word
    if len(word) <= _SHORTEST_ROOT or not word.isalpha():
        return word
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "ies", "es")):
        word = word[:-1]
    for ending, instead in _ENDINGS:
        root = word[: -len(ending)]
        if word.endswith(ending) and len(root) >= _SHORTEST_ROOT and _VOWEL.search(root):
            word = _DOUBLED.sub(r"\1", root + instead)
            break
    return _SPELT.sub(lambda found: "o" if found[1] else "iz", word)
