"""A reminder in words, as a unit reads it."""

from __future__ import annotations

from datetime import UTC, date, datetime

from notifications.render import SHOWN, render
from policy_models.notices import ReceiptNotice, ReminderLine, ReminderNotice


def line(unit: str = "150203-mz", name: str = "昆都仑区民政局", **facts: object) -> ReminderLine:
    values: dict[str, object] = {
        "section": "任务5",
        "title": "每季度随访留守儿童家庭",
        "unit_code": unit,
        "unit_name": name,
        "period": "2026年第四季度",
        "deadline": date(2026, 12, 31),
        "remind_by": date(2026, 12, 31),
        "step": -7,
        "workdays": 7,
        "key": "p:5.5:u:2026Q4",
    }
    return ReminderLine(**{**values, **facts})  # type: ignore[arg-type]


def notice(*lines: ReminderLine, as_of: date = date(2026, 12, 22)) -> ReminderNotice:
    return ReminderNotice("p", "三年行动实施方案", "150203-mz", "昆都仑区民政局", as_of, lines)


def test_late_near_and_below() -> None:
    late = line(title="落实责任书", period="", section="第三阶段", deadline=date(2026, 12, 19), step=1, workdays=-2)
    rest = line(deadline=date(2026, 12, 27), remind_by=date(2026, 12, 25), workdays=3)
    below = line("150203102", "某嘎查", deadline=date(2026, 12, 17), step=3, workdays=-3, period="2026年寒假")
    words = render("reminder", notice(late, rest, below), base_url="http://lucheng.example/")
    assert words.subject == "催办：1项已逾期，1项近期到期（截至12月22日）"
    assert words.body == (
        "昆都仑区民政局：\n"
        "截至2026年12月22日（周二），《三年行动实施方案》有下列事项请办理。\n\n"
        "已逾期（1项），请尽快报送：\n"
        "1. 第三阶段 落实责任书：时限2026年12月19日（周六），已逾期2个工作日。\n\n"
        "近期时限（1项）：\n"
        "1. 任务5 每季度随访留守儿童家庭（2026年第四季度）：请于2026年12月25日（周五）前报送"
        "（时限2026年12月27日（周日）），还有3个工作日。\n\n"
        "所属单位逾期（1项），请督促：\n"
        "1. 某嘎查：任务5 每季度随访留守儿童家庭（2026年寒假），时限2026年12月17日（周四），已逾期3个工作日。\n\n"
        "办理页面：http://lucheng.example/units/150203-mz\n"
    )


def test_the_last_day_and_the_last_work_day() -> None:
    today = line(deadline=date(2026, 12, 22), remind_by=date(2026, 12, 22), workdays=0, step=0)
    assert "请于2026年12月22日（周二）前报送，今天到期。" in render("reminder", notice(today), base_url="x").body
    friday = line(deadline=date(2026, 12, 27), remind_by=date(2026, 12, 25), workdays=0, step=0)
    found = render("reminder", notice(friday, as_of=date(2026, 12, 25)), base_url="x")
    assert "（时限2026年12月27日（周日）），今天是时限前最后一个工作日。" in found.body
    assert found.subject == "提醒：1项请按期报送（截至12月25日）"


def test_only_units_below() -> None:
    below = line("150203102", "某嘎查", deadline=date(2026, 12, 17), step=3, workdays=-3)
    found = render("reminder", notice(below), base_url="x")
    assert found.subject == "督办：所属单位1项逾期（截至12月22日）"


def test_a_long_list_is_cut_and_says_so() -> None:
    found = render("reminder", notice(*[line() for _ in range(SHOWN + 5)]), base_url="x")
    assert f"{SHOWN}. 任务5" in found.body
    assert f"{SHOWN + 1}. 任务5" not in found.body
    assert "另有5项，请在网页上查看。" in found.body


CAME = datetime(2025, 7, 3, 2, 21, tzinfo=UTC)
REPORT = "关于2025年上半年工作进展情况的报告"


def receipt(**facts: object) -> ReceiptNotice:
    values: dict[str, object] = {
        "subject": REPORT,
        "received_at": CAME,
        "unit_name": "石拐区民政局",
        "round_code": "2025-H1",
        "desk_name": "包头市民政局",
        "filed": True,
        "taken": ("报告.docx",),
        "refused": (),
        "reason": None,
    }
    return ReceiptNotice(**{**values, **facts})  # type: ignore[arg-type]


def test_a_receipt_for_what_was_filed() -> None:
    words = render("receipt", receipt(taken=("报告.docx", "指标表.xlsx")), base_url="x")
    assert words.subject == f"收到：{REPORT}"
    assert words.body == (
        "石拐区民政局：\n"
        f"您于2025年7月3日10:21发来的邮件“{REPORT}”已经收到。\n\n"
        "已收取的附件（2个）：\n1. 报告.docx\n2. 指标表.xlsx\n"
        "以上附件作为2025年上半年工作报告的来件，待包头市民政局确认；确认后，报送日期按邮件到达的日期计算。\n\n"
        "本邮件由系统自动发出。如有疑问，请与包头市民政局联系。\n"
    )


def test_a_receipt_for_what_was_filed_in_part() -> None:
    words = render("receipt", receipt(refused=(("宏.docm", "文件含有宏，请另存为 .docx"),)), base_url="x")
    assert words.subject == f"已收到，请留意：{REPORT}"
    assert words.body.endswith(
        "没有收取的附件（1个）：\n1. 宏.docm：文件含有宏，请另存为 .docx。\n"
        "请按上述说明处理后，重新发送没有收取的附件。\n\n"
        "本邮件由系统自动发出。如有疑问，请与包头市民政局联系。\n"
    )


def test_a_receipt_for_what_was_refused_or_set_aside() -> None:
    facts = {"unit_name": None, "round_code": None, "filed": False, "desk_name": None}
    refused = render(
        "receipt", receipt(**facts, taken=(), refused=(("a.exe", "这是程序"),), reason="这是程序"), base_url="x"
    )
    assert refused.subject == f"未能收取：{REPORT}"
    assert refused.body.startswith("您好：\n")
    assert refused.body.count("这是程序") == 1
    aside = render("receipt", receipt(**facts, reason="发件地址没有登记，不能确定是哪个单位"), base_url="x")
    assert aside.subject == f"已收到，请留意：{REPORT}"
    assert "发件地址没有登记，不能确定是哪个单位。需由统筹单位核对后办理，目前不计为已报送。" in aside.body
    empty = render("receipt", receipt(**facts, subject="", taken=(), reason="来信没有附件"), base_url="x")
    assert empty.subject == "已收到邮件，未见附件：（无主题）"
    assert "来信没有附件，没有可以办理的内容。请把报告作为附件（docx、doc、xlsx 或 pdf）重新发送。" in empty.body
