"""Notices in words, as a person reads them: whole texts, hostile values, long lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from notifications.render import BELOW_SHOWN, SHOWN, SUBJECT_LIMIT, render
from policy_models.notices import (
    Addressee,
    CircularNotice,
    DecisionLine,
    ExtensionNotice,
    Notice,
    ReceiptNotice,
    ReminderLine,
    ReminderNotice,
    ReturnNotice,
)

BASE = "http://lucheng.example/"
PLAN = "三年行动实施方案"
OWN, OWN_NAME = "150203-mz", "昆都仑区民政局"
PAGE = f"http://lucheng.example/units/{OWN}?plan=p"


def line(unit: str = OWN, name: str = OWN_NAME, **facts: object) -> ReminderLine:
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


def notice(*lines: ReminderLine, as_of: date = date(2026, 12, 22), person: str | None = None) -> ReminderNotice:
    return ReminderNotice("p", PLAN, Addressee(OWN, OWN_NAME, person), as_of, lines)


LATE = line(title="落实责任书", period="", section="第三阶段", deadline=date(2026, 12, 19), step=1, workdays=-2)
REST = line(deadline=date(2026, 12, 27), remind_by=date(2026, 12, 25), workdays=3)
BELOW = line("150203102", "某嘎查", deadline=date(2026, 12, 17), step=3, workdays=-3, period="2026年寒假")


def test_late_near_and_below() -> None:
    words = render("reminder", notice(LATE, REST, BELOW, person="王敏"), base_url=BASE)
    assert words.subject == "催办：1项已逾期，1项近期到期（截至12月22日）"
    assert words.body == (
        "昆都仑区民政局 王敏同志：\n"
        "截至2026年12月22日（周二），《三年行动实施方案》有下列事项请办理。\n\n"
        "已逾期（1项），请尽快报送：\n"
        "1. 第三阶段 落实责任书：时限2026年12月19日（周六），已逾期2个工作日。\n\n"
        "近期到期（1项），请按期报送：\n"
        "1. 任务5 每季度随访留守儿童家庭（2026年第四季度）：请于2026年12月25日（周五）前报送"
        "（时限2026年12月27日（周日）），还有3个工作日。\n\n"
        "所属单位逾期（1项），请督促：\n"
        "1. 某嘎查：任务5 每季度随访留守儿童家庭（2026年寒假），时限2026年12月17日（周四），已逾期3个工作日。\n\n"
        f"办理页面：{PAGE}\n"
        "本消息按时限自动发送，报送后不再提醒。\n"
    )
    assert words.link == PAGE


def test_the_units_inbox_is_addressed_as_the_unit() -> None:
    today = line(deadline=date(2026, 12, 22), remind_by=date(2026, 12, 22), workdays=0, step=0)
    words = render("reminder", notice(today), base_url=BASE)
    assert words.subject == "提醒：1项请按期报送（截至12月22日）"
    assert words.body == (
        "昆都仑区民政局：\n"
        "截至2026年12月22日（周二），《三年行动实施方案》有下列事项请办理。\n\n"
        "近期到期（1项），请按期报送：\n"
        "1. 任务5 每季度随访留守儿童家庭（2026年第四季度）：请于2026年12月22日（周二）前报送，今天到期。\n\n"
        f"办理页面：{PAGE}\n"
        "本消息按时限自动发送，报送后不再提醒。\n"
    )


def test_the_last_work_day_before_a_weekend() -> None:
    friday = line(deadline=date(2026, 12, 27), remind_by=date(2026, 12, 25), workdays=0, step=0)
    found = render("reminder", notice(friday, as_of=date(2026, 12, 25)), base_url="x")
    assert "（时限2026年12月27日（周日）），今天是时限前最后一个工作日。" in found.body
    assert found.subject == "提醒：1项请按期报送（截至12月25日）"


def test_only_units_below() -> None:
    found = render("reminder", notice(BELOW), base_url=BASE)
    assert found.subject == "督办：所属单位1项逾期（截至12月22日）"
    assert found.body.splitlines()[1] == "截至2026年12月22日（周二），《三年行动实施方案》有下列事项请督促。"
    assert "已逾期（" not in found.body


def test_many_below_are_told_by_unit_the_worst_first() -> None:
    lines = [
        replace(BELOW, unit_code=f"u{n % 3}", unit_name=f"第{n % 3}村", workdays=-3 - n % 3)
        for n in range(BELOW_SHOWN + 1)
    ]
    found = render("reminder", notice(*lines), base_url=BASE)
    assert found.subject == "督办：所属单位13项逾期（截至12月22日）"
    assert found.body == (
        "昆都仑区民政局：\n"
        "截至2026年12月22日（周二），《三年行动实施方案》有下列事项请督促。\n\n"
        "所属单位逾期（13项），请督促：\n"
        "1. 第2村：4项，最长已逾期5个工作日。\n"
        "2. 第1村：4项，最长已逾期4个工作日。\n"
        "3. 第0村：5项，最长已逾期3个工作日。\n\n"
        f"办理页面：{PAGE}\n"
        "本消息按时限自动发送，报送后不再提醒。\n"
    )
    assert "请督促：\n1. 某嘎查：任务5" in render("reminder", notice(*[BELOW] * BELOW_SHOWN), base_url=BASE).body


def test_very_many_units_below_are_cut_with_what_is_left() -> None:
    lines = [replace(BELOW, unit_code=f"u{n}", unit_name=f"第{n}村") for n in range(855)] + [BELOW, BELOW]
    body = render("reminder", notice(*lines), base_url=BASE).body
    assert "1. 某嘎查：2项，最长已逾期3个工作日。\n2. 第0村：1项" in body
    assert f"{SHOWN}. 第18村" in body
    assert f"{SHOWN + 1}. " not in body
    assert f"另有{856 - SHOWN}个单位{857 - SHOWN - 1}项，请在网页上查看。\n\n办理页面" in body
    assert len(body.encode()) < 2048  # one message of the strictest robot


def test_a_long_list_is_cut_and_says_so() -> None:
    found = render("reminder", notice(*[REST] * (SHOWN + 5), *[LATE] * (SHOWN + 1)), base_url="x")
    assert found.subject == f"催办：{SHOWN + 1}项已逾期，{SHOWN + 5}项近期到期（截至12月22日）"
    assert f"{SHOWN}. 任务5" in found.body
    assert f"{SHOWN + 1}. " not in found.body
    assert "另有5项，请在网页上查看。\n" in found.body
    assert "另有1项，请在网页上查看。\n\n近期到期" in found.body


def test_chased_by_hand() -> None:
    chased = replace(notice(LATE, REST, person="王敏"), chased_by="包头市民政局", words="请于本周五前补报，下周通报。")
    words = render("chase", chased, base_url=BASE)
    assert words.subject == "催办：2项（其中1项已逾期）请抓紧报送（包头市民政局）"
    assert words.body == (
        "昆都仑区民政局 王敏同志：\n"
        "包头市民政局催办：截至2026年12月22日（周二），《三年行动实施方案》有下列事项尚未报送，请抓紧办理。\n"
        "催办说明：请于本周五前补报，下周通报。\n\n"
        "已逾期（1项），请尽快报送：\n"
        "1. 第三阶段 落实责任书：时限2026年12月19日（周六），已逾期2个工作日。\n\n"
        "近期到期（1项），请按期报送：\n"
        "1. 任务5 每季度随访留守儿童家庭（2026年第四季度）：请于2026年12月25日（周五）前报送"
        "（时限2026年12月27日（周日）），还有3个工作日。\n\n"
        f"办理页面：{PAGE}\n"
    )
    assert words.link == PAGE


@pytest.mark.parametrize(
    ("lines", "subject"),
    [
        ((LATE,), "催办：1项已逾期，请抓紧报送（市民政局）"),
        ((REST, REST), "催办：2项请抓紧报送（市民政局）"),
    ],
)
def test_a_chase_without_words(lines: tuple[ReminderLine, ...], subject: str) -> None:
    words = render("chase", replace(notice(*lines), chased_by="市民政局"), base_url=BASE)
    assert (words.subject, "催办说明" in words.body) == (subject, False)


DECIDED = DecisionLine(
    "任务5",
    "每季度随访留守儿童家庭",
    OWN_NAME,
    "2026年第四季度",
    date(2026, 12, 31),
    "缺签到表",
    "p:5.5:150203-mz:2026Q4",
)
ITEM_PAGE = "http://lucheng.example/items/p:5.5:150203-mz:2026Q4"
TO = Addressee(OWN, OWN_NAME, "王敏")


def test_one_item_sent_back() -> None:
    words = render("returned", ReturnNotice("p", PLAN, TO, "包头市民政局 李强", (DECIDED,)), base_url=BASE)
    assert words.subject == "退回：任务5 每季度随访留守儿童家庭（2026年第四季度），请修改后重新报送"
    assert words.body == (
        "昆都仑区民政局 王敏同志：\n"
        "《三年行动实施方案》有1项报送的材料由包头市民政局 李强审核后退回，请按意见修改后重新报送。\n\n"
        "1. 任务5 每季度随访留守儿童家庭（2026年第四季度）：时限2026年12月31日（周四）。\n"
        "退回意见：缺签到表\n\n"
        f"办理页面：{ITEM_PAGE}\n"
        "是否按期以首次报送的日期为准；退回后请尽快补正。\n"
    )
    assert words.link == ITEM_PAGE


def test_many_items_sent_back() -> None:
    lines = (DECIDED, replace(DECIDED, section="第三阶段", title="落实责任书", period="", reason="未盖章"))
    words = render("returned", ReturnNotice("p", PLAN, TO, "包头市民政局", lines), base_url=BASE)
    assert words.subject == "退回：2项请修改后重新报送"
    assert words.body == (
        "昆都仑区民政局 王敏同志：\n"
        "《三年行动实施方案》下列事项报送的材料由包头市民政局审核后退回，请按意见修改后重新报送。\n\n"
        "1. 任务5 每季度随访留守儿童家庭（2026年第四季度）：时限2026年12月31日（周四）。\n"
        "退回意见：缺签到表\n"
        "2. 第三阶段 落实责任书：时限2026年12月31日（周四）。\n"
        "退回意见：未盖章\n\n"
        f"办理页面：{PAGE}\n"
        "是否按期以首次报送的日期为准；退回后请尽快补正。\n"
    )


def extension(**facts: object) -> ExtensionNotice:
    values: dict[str, object] = {
        "plan_code": "p",
        "plan_title": PLAN,
        "to": TO,
        "by": "包头市民政局",
        "granted": True,
        "wanted": date(2027, 1, 15),
        "line": replace(DECIDED, deadline=date(2027, 1, 15), reason=""),
    }
    return ExtensionNotice(**{**values, **facts})  # type: ignore[arg-type]


def test_an_extension_granted() -> None:
    words = render("extension", extension(), base_url=BASE)
    assert words.subject == "同意延期：任务5 每季度随访留守儿童家庭（2026年第四季度），时限1月15日"
    assert words.body == (
        "昆都仑区民政局 王敏同志：\n"
        "《三年行动实施方案》“任务5 每季度随访留守儿童家庭（2026年第四季度）”申请延期至2027年1月15日（周五），"
        "包头市民政局已审批。\n\n"
        "审批结果：同意延期，时限调整为2027年1月15日（周五）。\n\n"
        f"办理页面：{ITEM_PAGE}\n"
    )


def test_an_extension_granted_for_less_and_one_refused() -> None:
    less = replace(DECIDED, deadline=date(2027, 1, 8), reason="一周足够")
    body = render("extension", extension(line=less), base_url=BASE).body
    assert (
        "审批结果：同意延期，时限调整为2027年1月8日（周五），早于申请的日期。\n审批意见：一周足够\n\n办理页面" in body
    )
    refused = extension(granted=False, line=replace(DECIDED, reason="时间充足"))
    words = render("extension", refused, base_url=BASE)
    assert words.subject == "不同意延期：任务5 每季度随访留守儿童家庭（2026年第四季度），时限12月31日"
    assert (
        "审批结果：不同意延期，时限仍为2026年12月31日（周四），请按时限报送。\n理由：时间充足\n\n办理页面" in words.body
    )


@pytest.mark.parametrize(("kind", "name"), [("weekly", "周通报"), ("monthly", "月通报")])
def test_a_circular(kind: str, name: str) -> None:
    title = "工作通报（2026年第51周）"
    words = render(
        kind, CircularNotice("p", PLAN, TO, 7, title, ("办结412件，逾期3件。", "请抓紧办理。")), base_url=BASE
    )
    assert words.subject == title
    assert words.body == (
        "昆都仑区民政局 王敏同志：\n"
        "工作通报（2026年第51周）\n\n"
        "办结412件，逾期3件。\n"
        "请抓紧办理。\n\n"
        "全文和附表：http://lucheng.example/circulars/7\n"
        f"您在人员信息中选择了接收{name}，如不再需要，请告知本单位管理人员。\n"
    )
    assert words.link == "http://lucheng.example/circulars/7"


HOSTILE = "{{ 7*7 }}{% raw %}\r\nBcc: x@y.cn\n\n1. 假事项\u2028又一行\u202e倒写\x00\t尾"
FLAT = "{{ 7*7 }}{% raw %} Bcc: x@y.cn 1. 假事项 又一行 倒写 尾"


def hostile_notices() -> list[tuple[str, Notice]]:
    to = Addressee(OWN, HOSTILE, HOSTILE)
    bad = line(title=HOSTILE, unit_name=HOSTILE, period=HOSTILE, section=HOSTILE)
    below = replace(bad, unit_code="other", workdays=-3)
    decided = replace(DECIDED, title=HOSTILE, reason=HOSTILE, unit_name=HOSTILE, period=HOSTILE)
    reminder = ReminderNotice("p", HOSTILE, to, date(2026, 12, 22), (bad, below))
    return [
        ("reminder", reminder),
        ("reminder", replace(reminder, lines=(below,) * 13)),
        ("chase", replace(reminder, lines=(bad,), chased_by=HOSTILE, words=HOSTILE)),
        ("returned", ReturnNotice("p", HOSTILE, to, HOSTILE, (decided,))),
        ("extension", ExtensionNotice("p", HOSTILE, to, HOSTILE, False, date(2027, 1, 1), decided)),
        ("weekly", CircularNotice("p", HOSTILE, to, 1, HOSTILE, (HOSTILE,))),
        ("receipt", receipt(subject=HOSTILE, unit_name=HOSTILE, taken=(HOSTILE,), reason=HOSTILE, desk_name=HOSTILE)),
    ]


@pytest.mark.parametrize("kind", ["reminder", "chase", "returned", "extension", "weekly", "receipt"])
def test_a_value_never_breaks_a_line_nor_acts_as_a_template(kind: str) -> None:
    """The same notices with hostile and with plain values have the same number of lines."""
    for known, hostile in hostile_notices():
        if known != kind:
            continue
        words = render(kind, hostile, base_url=BASE)
        plain = render(kind, _plainly(hostile), base_url=BASE)  # type: ignore[arg-type]
        assert FLAT in words.body
        assert words.body.replace(FLAT, "平") == plain.body
        assert words.subject.replace(FLAT, "平")[:50] == plain.subject[:50]
        assert words.subject.isprintable()
        assert all(one.isprintable() for one in words.body.split("\n"))


def _plainly(value: object) -> object:
    if isinstance(value, str):
        return "平" if value == HOSTILE else value
    if isinstance(value, tuple):
        return tuple(map(_plainly, value))
    fields = getattr(value, "__dataclass_fields__", None)
    return type(value)(*(_plainly(getattr(value, name)) for name in fields)) if fields else value


def test_a_subject_that_is_too_long_ends_in_dots() -> None:
    long = replace(DECIDED, title="随" * 300)
    found = render("returned", ReturnNotice("p", PLAN, TO, "市民政局", (long,)), base_url=BASE)
    assert (len(found.subject), found.subject[-2:]) == (SUBJECT_LIMIT, "随…")


def test_a_link_is_safe_to_follow() -> None:
    odd = ReminderNotice("p&x=1", PLAN, Addressee("a/../b?c", "某单位"), date(2026, 12, 22), (line(),))
    assert render("reminder", odd, base_url=BASE).link == "http://lucheng.example/units/a%2F..%2Fb%3Fc?plan=p%26x%3D1"


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
