"""Legacy TCVN3 text: decoded where it can only be that, left alone where it may be Unicode."""

from __future__ import annotations

import pytest

from extract.tcvn3 import decode, legible, readings


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Së Néi vô", "Sở Nội vụ"),
        ("Së T\u00ad ph¸p", "Sở Tư pháp"),
        ("UBND tØnh H\u00adng Yªn", "UBND tỉnh Hưng Yên"),
        ("X· L¹c §¹o", "Xã Lạc Đạo"),
        ("C«ng v¨n", "Công văn"),
        ("12/Q§-UBND", "12/QĐ-UBND"),
        ("Néi vô", "Nội vụ"),
        ("bÊt ®éng s¶n", "bất động sản"),
        ("HUYÖN", "HUYỆN"),
        (
            "Së Lao ®éng - Th\u00ad¬ng binh vµ X· héi",
            "Sở Lao động - Thương binh và Xã hội",
        ),
    ],
)
def test_legacy_text_is_decoded(typed: str, meant: str) -> None:
    assert legible(typed) == meant


@pytest.mark.parametrize(
    "text",
    ["Sở Nội vụ", "Hà Nam", "Lâm", "Công ty", "hoà", "Có", "§ 5", "© 2024", "½ ngày", "Böhler", "12 m²", "xã", "x", ""],
)
def test_other_text_stays(text: str) -> None:
    assert legible(text) == text


def test_what_may_be_either_has_two_readings() -> None:
    assert readings("Nhãm 3") == ("Nhãm 3", "Nhóm 3")
    assert readings("Cã") == ("Cã", "Có")
    assert readings("Sở") == ("Sở",)


def test_every_letter_of_the_font() -> None:
    legacy = "¸µ¶·¹¨¾»¼½Æ©ÊÇÈÉË®ÐÌÎÏÑªÕÒÓÔÖÝ×ØÜÞãßáâä«èåæçé¬íêëìîóïñòô\u00adøõö÷ùýúûüþ¡¢§£¤¥¦"
    unicode = "áàảãạăắằẳẵặâấầẩẫậđéèẻẽẹêếềểễệíìỉĩịóòỏõọôốồổỗộơớờởỡợúùủũụưứừửữựýỳỷỹỵĂÂĐÊÔƠƯ"
    assert decode(legacy) == unicode
    assert len(set(legacy)) == len(set(unicode)) == 74
