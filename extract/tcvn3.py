"""Legacy TCVN3 (.VnTime) text: it arrives as other Unicode letters, `Së Néi vô` for `Sở Nội vụ`."""

from __future__ import annotations

import re
import unicodedata

_LETTERS = str.maketrans(
    {
        **dict(zip("¡¢§£¤¥¦", "ĂÂĐÊÔƠƯ", strict=True)),
        **dict(zip("¸µ¶·¹", "áàảãạ", strict=True)),
        **dict(zip("¨¾»¼½Æ", "ăắằẳẵặ", strict=True)),
        **dict(zip("©ÊÇÈÉË", "âấầẩẫậ", strict=True)),
        **dict(zip("®ÐÌÎÏÑ", "đéèẻẽẹ", strict=True)),
        **dict(zip("ªÕÒÓÔÖ", "êếềểễệ", strict=True)),
        **dict(zip("Ý×ØÜÞ", "íìỉĩị", strict=True)),
        **dict(zip("ãßáâä", "óòỏõọ", strict=True)),
        **dict(zip("«èåæçé", "ôốồổỗộ", strict=True)),
        **dict(zip("¬íêëìî", "ơớờởỡợ", strict=True)),
        **dict(zip("óïñòô", "úùủũụ", strict=True)),
        **dict(zip("\u00adøõö÷ù", "ưứừửữự", strict=True)),
        **dict(zip("ýúûüþ", "ýỳỷỹỵ", strict=True)),
    }
)
# letters that Vietnamese in Unicode has too, so that they prove nothing
_SHARED = frozenset("ÈÉÊÌÒÓÔÕÝãáâèéêìíòóôõùúý")
_FOREIGN = "".join(re.escape(chr(code)) for code in _LETTERS if chr(code) not in _SHARED)
_LATIN = "A-Za-zÀ-ÿ"
# © or § beside a letter belongs to a word; alone it is itself
_IN_A_WORD = re.compile(f"(?:[{_LATIN}][{_FOREIGN}]|[{_FOREIGN}][{_LATIN}])")
_ONLY_UNICODE = re.compile("[\u0100-\u02af\u0300-\u036f\u1e00-\u1eff]")
_HIGH = re.compile("[\u00a1-\u00ff]")
_CAPITAL_INSIDE = re.compile("[a-z][ÈÉÊÌÒÓÔÕÝ]")
_WORD = re.compile("[^\\W\\d_]+")

_SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnpqrstvx])?"
    r"(?:"
    # open syllables
    r"(?:i|y|e|ê|u|ư|o|ô|ơ|a|ia|ya|ua|ưa|oa|oe|uê|uy|uơ|uya)"
    # syllables that end in i, y, o, u
    r"|(?:ai|oi|ôi|ơi|ui|ưi|uôi|ươi|oai|ay|ây|oay|uây|ao|eo|oao|oeo|au|âu|êu|iêu|yêu|iu|ưu|ươu|uyu|uâu)"
    # syllables that end in a consonant
    r"|(?:a|ă|â|e|ê|i|o|ô|ơ|u|ư|y|iê|yê|uô|ươ|oa|oă|oe|uâ|uê|uy|uyê|oo)(?:c|m|n|ng|p|t)"
    r"|(?:a|ê|i|y|oa|uê|uy)(?:ch|nh)"
    r")"
)
_NO_VELAR = re.compile(r"(?:ê|i|y|iê|yê|ơ|uy|uyê|uê)(?:c|ng)$")
_VELAR_AFTER = re.compile(r"(?:iê|yê)(?:c|ng)$")
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def decode(text: str) -> str:
    """TCVN3 letters as Unicode, in capitals inside a word in capitals; every other sign stays."""
    return _WORD.sub(lambda word: _in_capitals(word[0]), text.translate(_LETTERS))


def may_be_legacy(text: str) -> bool:
    """Letters that TCVN3 uses, and none that only Unicode has."""
    return _HIGH.search(text) is not None and _ONLY_UNICODE.search(text) is None


def legible(text: str) -> str:
    """The text in Unicode, decoded when it can only be TCVN3; a text that may be either stays as it is."""
    if not may_be_legacy(text):
        return text
    decoded = decode(text)
    odd, strange = _strange_words(decoded)
    if _IN_A_WORD.search(text) or _CAPITAL_INSIDE.search(text):
        # a foreign name (Böhler) becomes no Vietnamese words; a slip of the pen among many words does not matter
        return decoded if odd * 2 < strange or odd == 0 else text
    return decoded if _strange_words(text)[0] > odd == 0 else text


def readings(text: str) -> tuple[str, ...]:
    """What the text may say, the likelier reading first: for words that are looked up in a list."""
    first = legible(text)
    second = text if first != text else decode(text)
    return (first,) if second == first or _ONLY_UNICODE.search(text) else (first, second)


def _in_capitals(word: str) -> str:
    plain = [letter for letter in word if letter.isascii()]
    return word.upper() if len(plain) > 1 and all(letter.isupper() for letter in plain) else word


def _strange_words(text: str) -> tuple[int, int]:
    """(words that no Vietnamese syllable looks like, all words with letters beyond ASCII); abbreviations aside."""
    words = [word for word in _WORD.findall(text) if not word.isascii() and not (len(word) > 1 and word.isupper())]
    return sum(not _is_syllable(word) for word in words), len(words)


def _is_syllable(word: str) -> bool:
    decomposed = unicodedata.normalize("NFD", word.lower())
    if sum(sign in _TONES for sign in decomposed) > 1:
        return False
    tone = next((sign for sign in decomposed if sign in _TONES), "")
    bare = unicodedata.normalize("NFC", "".join(sign for sign in decomposed if sign not in _TONES))
    if not _SYLLABLE.fullmatch(bare):
        return False
    if _NO_VELAR.search(bare) and not _VELAR_AFTER.search(bare):
        return False
    # a syllable closed by c, ch, p or t has an acute or a dot below
    return not (bare.endswith(("c", "ch", "p", "t")) and tone not in ("\u0301", "\u0323"))
