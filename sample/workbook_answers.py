"""The true answers of the department workbooks, counted straight from the rows that were written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from cchc.periods import ReportingPeriod
from sample.agencies import agencies
from sample.departments import CULTURE, RECLASSIFICATION, SURVEY_TRAINING, Content

Figures = dict[str, str]


def count_forms(content: Content, period: ReportingPeriod) -> list[tuple[str, str, str]]:
    """Rows (form, code, value) that workbooks decide: headings blank, ratios as exact fractions `39/61`."""
    found = {
        **_form_1(content, period),
        **_form_2(content, period),
        **_form_3(content, period),
        **_form_4(content),
        **_form_5(content, period),
        **_form_6(content, period),
        **_form_7(content),
    }
    return [(*key.split("/"), value) for key, value in found.items()]  # type: ignore[misc]


def _within(day: dt.date | None, first: dt.date, last: dt.date) -> bool:
    return day is not None and first <= day <= last


def _done(day: dt.date | None, last: dt.date) -> bool:
    return day is not None and day <= last


def _ratio(top: int | Decimal, bottom: int | Decimal) -> str:
    return f"{top}/{bottom}" if bottom else ""


def _total(values: Iterable[Any]) -> int | Decimal:
    return sum(value or 0 for value in values)


def _levels() -> dict[str, int]:
    return {agency.code: agency.level for agency in agencies()}


def _form_1(content: Content, period: ReportingPeriod) -> Figures:
    steering: dict[str, list[Any]] = content["so-noi-vu/chi-dao-dieu-hanh"]  # type: ignore[assignment]
    first, last = period.from_on, period.to_on
    directives = [
        row
        for row in steering["Van ban"]
        if _within(row["issued_on"], first, last) and row["kind"] in ("Công văn", "Chỉ thị", "Kết luận")
    ]
    plan = steering["Ke hoach CCHC"]
    plan_done = sum(_done(row["done_on"], last) for row in plan)
    level = _levels()
    inspected = {row["agency"] for row in steering["Kiem tra"] if _within(row["inspected_on"], first, last)}
    noticed = [row for row in steering["Kiem tra"] if _within(row["notice_on"], period.year_from_on, last)]
    findings = _total(row["findings"] for row in noticed)
    remedied = _total(row["remedied"] for row in noticed)
    planned = [row for row in steering["Thanh tra"] if row["in_plan"]]
    tasks = count_government_tasks(content, period)
    surveys = [row for row in steering["Khao sat"] if _within(row["held_on"], first, last)]
    modes = {row["mode"] for row in surveys}
    mode = "" if not modes else "0" if modes == {"Trực tuyến"} else "1" if modes == {"Phát phiếu"} else "2"
    dialogues = [row for row in steering["Doi thoai"] if _within(row["held_on"], first, last)]
    return {
        "1/1": str(len(directives)),
        "1/2": _ratio(plan_done, len(plan)),
        "1/2.1": str(len(plan)),
        "1/2.2": str(plan_done),
        "1/3": "",
        "1/3.1": str(sum(level[code] == 1 for code in inspected)),
        "1/3.2": str(sum(level[code] == 2 for code in inspected)),
        "1/3.3": _ratio(remedied, findings) or "0",
        "1/3.3.1": str(findings),
        "1/3.3.2": str(remedied),
        "1/4": "",
        "1/4.1": _ratio(sum(_done(row["examined_on"], last) for row in planned), len(planned)),
        "1/4.2": _ratio(sum(_done(row["carried_out_on"], last) for row in planned), len(planned)),
        "1/5": "",
        "1/5.1": str(tasks["total"]),
        "1/5.2": str(tasks["on_time"]),
        "1/5.3": str(tasks["late"]),
        "1/5.4": str(tasks["overdue"]),
        "1/6": "1" if surveys else "0",
        "1/6.1": str(_total(row["ballots"] for row in surveys)),
        "1/6.2": mode,
        "1/7": "1" if dialogues else "0",
    }


def count_government_tasks(content: Content, period: ReportingPeriod) -> dict[str, int]:
    """Tasks assigned by the cut-off that were not finished before the period."""
    first, last = period.from_on, period.to_on
    counts = {"total": 0, "on_time": 0, "late": 0, "overdue": 0, "in_time": 0}
    rows: list[Any] = content["van-phong-ubnd/nhiem-vu-chinh-phu"]["Nhiem vu"]
    for row in rows:
        assigned, due, done = row["assigned_on"], row["due_on"], row["done_on"]
        if assigned > last or (done is not None and done < first):
            continue
        counts["total"] += 1
        if _done(done, last):
            counts["on_time" if due is None or done <= due else "late"] += 1
        else:
            counts["overdue" if due is not None and due < last else "in_time"] += 1
    return counts


def _form_2(content: Content, period: ReportingPeriod) -> Figures:
    legal: dict[str, list[Any]] = content["so-tu-phap/van-ban-qppl"]  # type: ignore[assignment]
    first, last = period.from_on, period.to_on
    issued = [row["level"] for row in legal["Ban hanh"] if _within(row["issued_on"], first, last)]
    checked = [
        row
        for row in legal["Kiem tra"]
        if row["scope"] == "Theo thẩm quyền" and _within(row["checked_on"], first, last)
    ]
    reviewed = [row for row in legal["Ra soat"] if _within(row["reviewed_on"], first, last)]
    check = [row for row in checked if row["needs_handling"]]
    review = [row for row in reviewed if row["needs_handling"]]
    check_done = sum(_done(row["handled_on"], last) for row in check)
    review_done = sum(_done(row["handled_on"], last) for row in review)
    return {
        "2/1": str(len(issued)),
        "2/1.1": str(issued.count("Tỉnh")),
        "2/1.2": str(issued.count("Huyện")),
        "2/1.3": str(issued.count("Xã")),
        "2/2": "",
        "2/2.1": str(len(checked)),
        "2/2.2": _ratio(check_done, len(check)),
        "2/2.2.1": str(len(check)),
        "2/2.2.2": str(check_done),
        "2/3": "",
        "2/3.1": str(len(reviewed)),
        "2/3.2": _ratio(review_done, len(review)),
        "2/3.2.1": str(len(review)),
        "2/3.2.2": str(review_done),
    }


def _form_3(content: Content, period: ReportingPeriod) -> Figures:
    review = content["van-phong-ubnd/kiem-soat-tthc"]["Ra soat"]
    return {"3/1.1": str(sum(_within(row["plan_approved_on"], period.from_on, period.to_on) for row in review))}


def _baseline(content: Content) -> dict[str, Any]:
    return {str(row["key"]): row["value"] for row in content["so-noi-vu/bien-che"]["Moc 2015"]}


def _form_4(content: Content) -> Figures:
    organisation: dict[str, list[Any]] = content["so-noi-vu/to-chuc-bo-may"]  # type: ignore[assignment]
    staffing: dict[str, list[Any]] = content["so-noi-vu/bien-che"]  # type: ignore[assignment]
    base = _baseline(content)

    def rearranged(block: str) -> str:
        scope = [row for row in organisation["Co quan"] if row["block"] == block and row["in_scope"]]
        return _ratio(sum(bool(row["rearranged"]) for row in scope), len(scope))

    managing = [row["managing_level"] for row in organisation["DVSNCL"]]
    given = base["Biên chế công chức giao năm 2015"] - base["Biên chế chuyển ra"]
    now = base["Biên chế công chức giao hiện nay để tính tinh giản"] - base["Biên chế bổ sung"]
    units_before = base["Số ĐVSNCL năm 2015"]
    reduced = base["Số người làm việc đã tinh giản"]
    return {
        "4/1": "",
        "4/1.1": rearranged("Sở, ban, ngành"),
        "4/1.2": rearranged("UBND cấp huyện"),
        "4/1.3": str(len(organisation["Ban quan ly"])),
        "4/1.4": str(len(organisation["To chuc lien nganh"])),
        "4/1.5": str(len(managing)),
        "4/1.5.1": str(managing.count("UBND tỉnh")),
        "4/1.5.2": str(managing.count("Sở, ngành")),
        "4/1.5.3": str(managing.count("UBND cấp huyện")),
        "4/1.5.4": _ratio(units_before - len(managing), units_before),
        "4/2": "",
        "4/2.1": str(_total(row["posts_assigned"] for row in staffing["Cong chuc"])),
        "4/2.2": str(_total(row["present"] for row in staffing["Cong chuc"])),
        "4/2.3": str(_total(row["contracts_present"] for row in staffing["Cong chuc"])),
        "4/2.4": str(given - now),
        "4/2.5": _ratio(given - now, given),
        "4/3": "",
        "4/3.1": str(_total(row["posts_assigned"] for row in staffing["Vien chuc"])),
        "4/3.2": str(_total(row["present"] for row in staffing["Vien chuc"])),
        "4/3.3": str(reduced),
        "4/3.4": _ratio(reduced, base["Số người làm việc hưởng lương NSNN năm 2015"]),
    }


def _form_5(content: Content, period: ReportingPeriod) -> Figures:
    organisation: dict[str, list[Any]] = content["so-noi-vu/to-chuc-bo-may"]  # type: ignore[assignment]
    service: dict[str, list[Any]] = content["so-noi-vu/cong-vu"]  # type: ignore[assignment]
    first, last = period.from_on, period.to_on
    bodies = [*organisation["Co quan"], *organisation["DVSNCL"]]

    def recruited(targets: tuple[str, ...], special: bool | None) -> str:
        return str(
            _total(
                row["persons"]
                for row in service["Tuyen dung"]
                if _within(row["decided_on"], first, last)
                and row["target"] in targets
                and (special is None or (row["method"] == "Đặc biệt") == special)
            )
        )

    disciplined = {
        target: _total(
            row["persons"]
            for row in service["Ky luat"]
            if row["target"] == target and _within(row["decided_on"], first, last)
        )
        for target in ("Lãnh đạo cấp tỉnh", "Lãnh đạo sở, huyện", "Lãnh đạo phòng", "Viên chức")
    }
    servants = ("Công chức", "Công chức cấp xã")
    by_competition = _total(
        row["persons"]
        for row in service["Bo nhiem"]
        if row["by_competition"] and _within(row["decided_on"], period.year_from_on, last)
    )
    return {
        "5/1": "",
        "5/1.1": str(sum(bool(row["job_positions_approved"]) for row in organisation["Co quan"])),
        "5/1.2": str(sum(bool(row["job_positions_approved"]) for row in organisation["DVSNCL"])),
        "5/1.3": str(sum(bool(row["job_position_violation"]) for row in bodies)),
        "5/2": "",
        "5/2.1": recruited(servants, False),
        "5/2.2": recruited(servants, True),
        "5/2.3": recruited(("Cán bộ cấp xã chuyển lên",), None),
        "5/2.4": recruited(("Viên chức",), False),
        "5/2.5": recruited(("Viên chức",), True),
        "5/3": str(by_competition),
        "5/4": str(sum(disciplined.values())),
        **{f"5/4.{i}": str(persons) for i, persons in enumerate(disciplined.values(), start=1)},
    }


def _form_6(content: Content, period: ReportingPeriod) -> Figures:
    units: list[Any] = content["so-tai-chinh/tu-chu-tai-chinh"]["Tu chu"]
    converted = sum(_done(row["converted_on"], period.to_on) for row in units)
    kept = [row for row in units if not _done(row["converted_on"], period.to_on)]
    shares = [row["recurrent_share"] for row in kept if row["group"] == "Nhóm 3"]
    groups = [row["group"] for row in kept]
    return {
        "6/2": "",
        "6/2.1": str(len(kept)),
        "6/2.2": str(groups.count("Nhóm 1")),
        "6/2.3": str(groups.count("Nhóm 2")),
        "6/2.4": str(len(shares)),
        "6/2.4.1": str(sum(share >= 70 for share in shares)),
        "6/2.4.2": str(sum(30 <= share < 70 for share in shares)),
        "6/2.4.3": str(sum(share < 30 for share in shares)),
        "6/2.5": str(groups.count("Nhóm 4")),
        "6/2.6": str(converted),
    }


def _platform(content: Content) -> dict[str, Any]:
    return {str(row["key"]): row["value"] for row in content["so-tttt/chinh-quyen-so"]["Nen tang"]}


def _form_7(content: Content) -> Figures:
    digital: dict[str, list[Any]] = content["so-tttt/chinh-quyen-so"]  # type: ignore[assignment]
    platform = _platform(content)

    def connected(level: str, column: str) -> str:
        rows = [row for row in digital["Ket noi"] if row["level"] == level]
        return _ratio(sum(bool(row[column]) for row in rows), len(rows))

    def electronic(levels: tuple[str, ...]) -> str:
        rows = [row for row in digital["Van ban dien tu"] if row["level"] in levels]
        return _ratio(_total(row["sent_fully_electronic"] for row in rows), _total(row["sent"] for row in rows))

    def all_on_video(level: str) -> bool:
        return all(row["video_connected"] for row in digital["Ket noi"] if row["level"] == level)

    video = (2 if all_on_video("Xã") else 1) if all_on_video("Huyện") else 0
    levels = ("Sở, ngành", "Huyện", "Xã")
    return {
        "7/1": {"Hoàn thành": "1"}.get(platform["Kiến trúc CQĐT phiên bản mới nhất"], "0"),
        "7/2": str(video),
        "7/3": _ratio(platform["Báo cáo định kỳ gửi qua Hệ thống"], platform["Báo cáo định kỳ phải gửi"]),
        "7/4": {"Hoàn thành": "2", "Đang làm": "1"}.get(platform["LGSP"], "0"),
        "7/5": "",
        "7/5.1": "",
        **{f"7/5.1.{i}": connected(level, "docs_connected") for i, level in enumerate(levels, start=1)},
        "7/5.2": electronic(levels),
        **{f"7/5.2.{i}": electronic((level,)) for i, level in enumerate(levels, start=1)},
        "7/5.3": "",
        **{f"7/5.3.{i}": connected(level, "one_stop_connected") for i, level in enumerate(levels, start=1)},
    }


def count_narrative(content: Content, period: ReportingPeriod, invested_by: dt.date) -> Figures:
    """Figures of the report's text that come from workbooks, in the unit the text uses."""
    first, last = period.from_on, period.to_on
    steering: dict[str, list[Any]] = content["so-noi-vu/chi-dao-dieu-hanh"]  # type: ignore[assignment]
    legal: dict[str, list[Any]] = content["so-tu-phap/van-ban-qppl"]  # type: ignore[assignment]
    staffing: dict[str, list[Any]] = content["so-noi-vu/bien-che"]  # type: ignore[assignment]
    control: dict[str, list[Any]] = content["van-phong-ubnd/kiem-soat-tthc"]  # type: ignore[assignment]
    exchange: list[Any] = content["so-tttt/chinh-quyen-so"]["Van ban dien tu"]
    organisation: dict[str, list[Any]] = content["so-noi-vu/to-chuc-bo-may"]  # type: ignore[assignment]
    service: dict[str, list[Any]] = content["so-noi-vu/cong-vu"]  # type: ignore[assignment]
    audit: list[Any] = content["so-tai-chinh/tu-chu-tai-chinh"]["Kien nghi kiem toan"]
    tasks = count_government_tasks(content, period)
    of_province = [
        row["kind"] for row in legal["Ban hanh"] if row["level"] == "Tỉnh" and _within(row["issued_on"], first, last)
    ]
    drafts = [row["step"] for row in legal["Tham dinh"] if _within(row["done_on"], first, last)]
    checks = [row["scope"] for row in legal["Kiem tra"] if _within(row["checked_on"], first, last)]
    processes = [row for row in control["Quy trinh noi bo"] if _within(row["decided_on"], first, last)]
    review = [row for row in control["Ra soat"] if row["plan_year"] == period.year]
    recruits = [row for row in service["Tuyen dung"] if _within(row["decided_on"], first, last)]
    appointed = [row for row in service["Bo nhiem"] if _within(row["decided_on"], first, last)]

    def trained(subject: str) -> int | Decimal:
        return _total(
            row["persons"]
            for row in steering["Tap huan"]
            if row["subject"] == subject and _within(row["held_on"], first, last)
        )

    forms = {f"{form}/{code}": value for form, code, value in count_forms(content, period)}
    numbers = {
        "plan_tasks_done": forms["1/2.2"],
        "plan_tasks_total": forms["1/2.1"],
        "units_inspected": len(
            {row["agency"] for row in steering["Kiem tra"] if _within(row["inspected_on"], first, last)}
        ),
        "officials_trained_on_satisfaction_survey": trained(SURVEY_TRAINING),
        "government_tasks_total": tasks["total"],
        "government_tasks_done_on_time": tasks["on_time"],
        "government_tasks_in_time": tasks["in_time"],
        "government_tasks_overdue": tasks["overdue"],
        "legal_documents_issued_province": len(of_province),
        "resolutions_issued": of_province.count("Nghị quyết"),
        "decisions_issued": of_province.count("Quyết định"),
        "drafts_appraised": drafts.count("Thẩm định"),
        "drafts_commented": drafts.count("Góp ý"),
        "decisions_self_checked": checks.count("Tự kiểm tra"),
        "documents_checked_under_authority": checks.count("Theo thẩm quyền"),
        "documents_reviewed": forms["2/3.1"],
        "procedures_under_review": len(review),
        "internal_process_decisions": len(processes),
        "divisions_cut": _total(row["divisions_cut"] for row in organisation["Co quan"]),
        "civil_servants_assigned": forms["4/2.1"],
        "contracts_assigned": _total(row["contracts_assigned"] for row in staffing["Cong chuc"]),
        "public_employees_assigned": forms["4/3.1"],
        "civil_servants_present": forms["4/2.2"],
        "contracts_present": forms["4/2.3"],
        "public_employees_present": forms["4/3.2"],
        "civil_servant_posts_cut_this_year": _total(row["posts_cut_this_year"] for row in staffing["Cong chuc"]),
        "public_employee_posts_cut_this_year": _total(row["posts_cut_this_year"] for row in staffing["Vien chuc"]),
        "bodies_with_job_positions": forms["5/1.1"],
        "service_units_with_job_positions": forms["5/1.2"],
        "commune_civil_servants_recruited": _total(
            row["persons"] for row in recruits if row["target"] == "Công chức cấp xã"
        ),
        "appointments_handled": _total(row["persons"] for row in appointed if row["kind"] != RECLASSIFICATION),
        "teachers_reclassified": _total(row["persons"] for row in appointed if row["kind"] == RECLASSIFICATION),
        "officials_trained_on_public_service_culture": trained(CULTURE),
        **_investment(content, dt.date(period.year, 1, 1), invested_by),
        "audit_recommendations_total": _total(row["amount"] for row in audit),
        "audit_recommendations_done": _total(row["done"] for row in audit),
        "autonomous_units": forms["6/2.1"],
        "documents_sent": _total(row["sent"] for row in exchange),
        "documents_received": _total(row["received"] for row in exchange),
        "official_mailboxes": _platform(content)["Hộp thư công vụ"],
    }
    return {key: plain(value) for key, value in numbers.items()}


def count_more_text(content: Content, period: ReportingPeriod) -> Figures:
    """The second figure of a sentence ("of which 54 971 digitally signed")."""
    first, last = period.from_on, period.to_on
    exchange: list[Any] = content["so-tttt/chinh-quyen-so"]["Van ban dien tu"]
    control: dict[str, list[Any]] = content["van-phong-ubnd/kiem-soat-tthc"]  # type: ignore[assignment]
    processes = [row for row in control["Quy trinh noi bo"] if _within(row["decided_on"], first, last)]
    review = [row for row in control["Ra soat"] if row["plan_year"] == period.year]
    return {
        "documents_sent_signed": str(_total(row["sent_signed"] for row in exchange)),
        "documents_received_signed": str(_total(row["received_signed"] for row in exchange)),
        "procedure_review_lead_agencies": str(len({row["lead_agency"] for row in review})),
        "procedure_review_results_sent": str(len({row["lead_agency"] for row in review if row["result_sent_on"]})),
        "internal_processes_new": str(_total(row["new"] for row in processes)),
        "internal_processes_amended": str(_total(row["amended"] for row in processes)),
        "internal_processes_abolished": str(_total(row["abolished"] for row in processes)),
    }


def _investment(content: Content, first: dt.date, last: dt.date) -> dict[str, Any]:
    projects: list[Any] = content["so-ke-hoach-dau-tu/thu-hut-dau-tu"]["Du an"]
    new = [row for row in projects if _within(row["certified_on"], first, last)]
    raised = [row for row in projects if _within(row["adjusted_on"], first, last) and row["capital_increase"]]
    in_force = [row for row in projects if not _done(row["ended_on"], last)]

    def total(rows: list[Any], column: str, origin: str) -> Decimal:
        return sum((row[column] for row in rows if row["origin"] == origin), Decimal(0))

    home, abroad = "Trong nước", "Nước ngoài"
    return {
        "new_investment_projects": len(new),
        "new_investment_capital_domestic": total(new, "registered_capital", home),
        "new_investment_capital_foreign": total(new, "registered_capital", abroad),
        "projects_with_capital_increase": len(raised),
        "capital_increase_domestic": total(raised, "capital_increase", home),
        "capital_increase_foreign": total(raised, "capital_increase", abroad),
        "projects_in_force": len(in_force),
        "registered_capital_domestic": total(in_force, "registered_capital", home),
        # The text gives this one in billion USD, the workbook in million.
        "registered_capital_foreign": total(in_force, "registered_capital", abroad) / 1000,
    }


def plain(value: object) -> str:
    """A number without an exponent and without needless zeros."""
    if not isinstance(value, Decimal):
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
