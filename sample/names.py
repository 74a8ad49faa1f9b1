"""Applicants: plausible, invented people and businesses. No value is taken from a real register."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample.agencies import read_csv

FAMILY = [
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Vũ",
    "Đỗ",
    "Bùi",
    "Đặng",
    "Đào",
    "Dương",
    "Lương",
    "Đinh",
    "Trịnh",
    "Phan",
    "Hà",
    "Ngô",
    "Quách",
    "Chu",
    "Cao",
    "Tạ",
    "Mai",
    "Lưu",
    "Doãn",
    "Luyện",
    "Khúc",
    "Tống",
    "Triệu",
    "Hồ",
    "Lý",
]
FAMILY_WEIGHTS = np.array([32, 12, 10, 7, 6, 6, 5, 4, 3, 3, 2.5, 2, 1.5, 1.2, 1.2, 1, 1, *[0.5] * 13])
MIDDLE_FEMALE = ["Thị", "Thu", "Ngọc", "Thanh", "Minh", "Bích", "Hồng", "Phương", "Kim", "Diệu"]
MIDDLE_MALE = ["Văn", "Đức", "Hữu", "Quang", "Minh", "Xuân", "Đình", "Công", "Duy", "Tiến", "Mạnh", "Bá"]
GIVEN_FEMALE = [
    "Hương",
    "Lan",
    "Hoa",
    "Mai",
    "Hà",
    "Thảo",
    "Linh",
    "Trang",
    "Hạnh",
    "Thúy",
    "Nhung",
    "Hằng",
    "Yến",
    "Nga",
    "Loan",
    "Dung",
    "Oanh",
    "Phượng",
    "Huyền",
    "Ngân",
    "Tuyết",
    "Quỳnh",
    "Vân",
    "Chi",
    "Thủy",
    "Lệ",
    "Ánh",
    "Hiền",
    "Thoa",
    "Xuyến",
]
GIVEN_MALE = [
    "Hùng",
    "Dũng",
    "Tuấn",
    "Cường",
    "Nam",
    "Sơn",
    "Hải",
    "Long",
    "Thắng",
    "Bình",
    "Hưng",
    "Quân",
    "Đạt",
    "Khánh",
    "Phong",
    "Toàn",
    "Việt",
    "Hiếu",
    "Trung",
    "Kiên",
    "Tùng",
    "Thành",
    "Lâm",
    "Phúc",
    "Chiến",
    "Đông",
    "Luận",
    "Nghĩa",
    "Tú",
    "Vinh",
]
BUSINESS_FORMS = (
    "Công ty TNHH",
    "Công ty cổ phần",
    "Công ty TNHH MTV",
    "Công ty cổ phần Đầu tư, Xây dựng và Thương mại",
    "Công ty TNHH Sản xuất, Thương mại và Dịch vụ",
    "Doanh nghiệp tư nhân",
    "Hợp tác xã dịch vụ nông nghiệp",
)
BUSINESS_NAMES = (
    "Phố Hiến",
    "An Phát",
    "Minh Đức",
    "Hưng Thịnh",
    '"Hoàng Gia"',
    "Thành Công",
    "Đại Lộc",
    "Sông Hồng",
    "Nhãn Lồng",
    "Việt Tiến",
    "Tân Á",
    "Kim Ngưu",
    "Bảo Khê",
    "Đông Đô",
    "Nam Sơn",
    "Trường Phúc",
)
BUSINESS_SUFFIXES = ("", " Hưng Yên", " Việt Nam", " Miền Bắc", " Group", " 68", " & Cộng sự")
STATE_BODIES = (
    "Trường THCS",
    "Trường tiểu học",
    "Trường mầm non",
    "Trạm y tế",
    "Ban Quản lý dự án",
    "Hội Nông dân",
)
HAMLETS = ("thôn", "xóm", "tổ dân phố", "đội", "khu")
HAMLET_NAMES = [
    "An Cầu",
    "Bảo Châu",
    "Cao Xá",
    "Đông Kết",
    "Đoàn Thượng",
    "Hạ Lễ",
    "Kim Đằng",
    "Lạc Đạo",
    "Mễ Sở",
    "Nội Mai",
    "Phú Thị",
    "Trung",
]
PLACEHOLDER = "000000001"

CITIZEN, BUSINESS, STATE, OTHER = 1, 2, 3, 4


def applicants(count: int, rng: np.random.Generator) -> pl.DataFrame:
    """`count` applicants: kind, name, identity number, phone, e-mail, address (blank where not given)."""
    kind = rng.choice((CITIZEN, BUSINESS, STATE, OTHER), size=count, p=(0.885, 0.095, 0.008, 0.012)).astype(np.int8)
    female = rng.random(count) < 0.48
    family = _choose(FAMILY, count, rng, FAMILY_WEIGHTS / FAMILY_WEIGHTS.sum())
    frame = pl.DataFrame(
        {
            "kind": kind,
            "female": female,
            "family": family,
            "middle_f": _choose(MIDDLE_FEMALE, count, rng),
            "middle_m": _choose(MIDDLE_MALE, count, rng),
            "given_f": _choose(GIVEN_FEMALE, count, rng),
            "given_m": _choose(GIVEN_MALE, count, rng),
            "form": _choose(BUSINESS_FORMS, count, rng),
            "brand": _choose(BUSINESS_NAMES, count, rng),
            "suffix": _choose(BUSINESS_SUFFIXES, count, rng),
            "body": _choose(STATE_BODIES, count, rng),
            "area": rng.choice((33, 33, 33, 33, 33, 33, 33, 1, 30, 34, 36, 38), size=count).astype(np.int32),
            "birth": rng.integers(1945, 2006, size=count),
            "serial": rng.permutation(count).astype(np.int64) + 100_000,
            "old_card": rng.random(count) < 0.03,
            "blank": rng.random(count),
            "odd": rng.random(count),
            "phone": rng.integers(10_000_000, 99_999_999, size=count),
            "phone_head": _choose(("03", "05", "07", "08", "09"), count, rng),
            "has_mail": rng.random(count) < 0.3,
            "has_address": rng.random(count) < 0.85,
            "hamlet": _choose(HAMLETS, count, rng),
            "hamlet_name": _choose(HAMLET_NAMES, count, rng),
            "commune": _choose(_places(), count, rng),
        }
    )
    person = pl.concat_str(
        pl.col("family"),
        pl.lit(" "),
        pl.when("female").then("middle_f").otherwise("middle_m"),
        pl.lit(" "),
        pl.when("female").then("given_f").otherwise("given_m"),
    )
    business = pl.concat_str("form", pl.lit(" "), "brand", "suffix")
    # Clerks paste two lines into the name box, and write a comma before a role.
    name = (
        pl.when(pl.col("kind") == BUSINESS)
        .then(business)
        .when(pl.col("kind") >= STATE)
        .then(pl.concat_str("body", pl.lit(" "), "hamlet_name"))
        .when(pl.col("odd") < 0.0008)
        .then(pl.concat_str(person, pl.lit("\n(đại diện hộ gia đình)")))
        .when(pl.col("odd") < 0.004)
        .then(pl.concat_str(person, pl.lit(", người được ủy quyền")))
        .otherwise(person)
    )
    # Twelve digits: area, century and sex, year of birth, six more. The serial keeps them distinct.
    century_sex = pl.when(pl.col("birth") >= 2000).then(2).otherwise(0) + pl.col("female").cast(pl.Int64)
    twelve = (
        pl.col("area").cast(pl.Int64) * 1_000_000_000
        + century_sex * 100_000_000
        + (pl.col("birth") % 100) * 1_000_000
        + pl.col("serial") % 1_000_000
    )
    identity = (
        pl.when(pl.col("blank") < 0.003)
        .then(None)
        .when(pl.col("blank") < 0.009)
        .then(pl.lit(PLACEHOLDER))
        .when(pl.col("kind") != CITIZEN)
        .then(pl.lit("09") + (pl.col("serial") % 100_000_000).cast(pl.String).str.zfill(8))
        .when("old_card")
        .then(pl.lit("14") + (pl.col("serial") % 10_000_000).cast(pl.String).str.zfill(7))
        .otherwise(twelve.cast(pl.String).str.zfill(12))
    )
    return frame.select(
        kind="kind",
        ChuHoSo=name,
        SoGiayToChuHoSo=identity,
        SoDienThoai=pl.col("phone_head") + pl.col("phone").cast(pl.String),
        Email=pl.when("has_mail").then(pl.concat_str(pl.lit("hs"), pl.col("serial"), pl.lit("@thu.example"))),
        DiaChi=pl.when("has_address").then(
            pl.concat_str("hamlet", pl.lit(" "), "hamlet_name", pl.lit(", "), "commune")
        ),
    )


def _choose(
    values: tuple[str, ...] | list[str],
    count: int,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
) -> pl.Series:
    picks = rng.choice(len(values), size=count, p=weights)
    return pl.Series(list(values), dtype=pl.String).gather(pl.Series(picks.astype(np.uint32)))


def _places() -> list[str]:
    units = read_csv("admin_units.csv")
    districts = {row["code"]: row["name"] for row in units if row["level"] == "huyen"}

    def lower(name: str) -> str:
        return name[0].lower() + name[1:]

    return [
        f"{lower(row['name'])}, {lower(districts[row['parent_code']])}, tỉnh Hưng Yên"
        for row in units
        if row["level"] == "xa" and row["parent_code"] in districts and row["valid_to"] == "2025-07-01"
    ]
