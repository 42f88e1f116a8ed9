"""People of many units from a table that offices keep."""

from __future__ import annotations

import csv
import io

import pytest

from policy_models.channels import ChannelKind
from policy_models.errors import Faulty
from policy_models.people import ALWAYS, KnownChannel, PersonFacts, PersonRole, Way, faults_of, merged, read_way
from policy_models.people_file import parse_people, people_rows
from policy_models.text import decode_text
from policy_models.units import parse_units
from tests.factories import tiny_units

UNITS = parse_units(tiny_units() + "9003,1县民政局,county,民政,9000\n")
GROUP = KnownChannel("ding-city", ChannelKind.DINGTALK, "市级钉钉群")
CHANNELS = (*ALWAYS, GROUP)
HEAD = "单位,姓名,职务,电话,角色,电子邮箱,渠道,通报,停用\n"
LIAISON, PRINCIPAL, REVIEWER = PersonRole.LIAISON, PersonRole.PRINCIPAL, PersonRole.REVIEWER
ID_NUMBER = "150203199003078895"


def faults(text: str) -> list[str]:
    with pytest.raises(Faulty) as error:
        parse_people(text, "人员.csv", UNITS, CHANNELS)
    return [str(one) for one in error.value.faults]


def of(row: str, head: str = HEAD) -> PersonFacts:
    [one] = parse_people(head + row + "\n", "人员.csv", UNITS, CHANNELS).people
    return one


def fault(row: str) -> str:
    [one] = faults(HEAD + row + "\n")
    return one


def test_everything_that_a_row_says() -> None:
    one = of(
        "市教育局,王　芳 ,科长,０４７２－５１２３４５６ 转 801,联络员、负责人,Wang＠Edu.Example,市级钉钉群：wang01、email,周、月,否"
    )
    ways = (Way("ding-city", "wang01"), Way("email", "wang@edu.example"))
    roles = frozenset((LIAISON, PRINCIPAL))
    assert one == PersonFacts("9000-jy", "王芳", roles, "科长", "0472-5123456 转 801", True, True, ways, True)


def test_a_row_that_says_little() -> None:
    assert of("9000-jy,李明,,,审核人,,,,") == PersonFacts("9000-jy", "李明", frozenset((REVIEWER,)))
    assert of("9000-jy,李明,,,联络员,,inbox,,").ways == (Way("inbox"),)
    assert of("9000-jy,李明,,,联络员,a@b.cn,inbox,,").ways == (Way("inbox"), Way("email", "a@b.cn"))
    assert of("9000-jy,李明,,,联络员,a@b.cn,email、ding-city,,").ways == (Way("email", "a@b.cn"), Way("ding-city"))
    assert of("9000-jy,李明,,,联络员,,email:A@b.cn,,").ways == (Way("email", "a@b.cn"),)
    assert of("9000-jy,李明,,,,,,,是").active is False
    assert of("9000-jy,斯琴•高娃,,,,,,月,") == PersonFacts("9000-jy", "斯琴·高娃", frozenset(), monthly=True)


@pytest.mark.parametrize(
    ("unit", "code"),
    [("9000-jy", "9000-jy"), ("９０００－jy", "9000-jy"), ("市教育局", "9000-jy"), ("1县民政局（9003）", "9003"),
     ("1县民政局(9001-mz)", "9001-mz")],
)  # fmt: skip
def test_a_unit_by_code_by_name_and_by_both(unit: str, code: str) -> None:
    assert of(f"{unit},李明,,,联络员,,,,").unit_code == code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("between", [",", "\t", ";"])
def test_as_spreadsheet_programs_save_it(encoding: str, between: str) -> None:
    text = f"{HEAD}市教育局,李明,,,联络员,,,,\r\n,,,,,,,,\r\n".replace(",", between)
    assert [one.name for one in parse_people(decode_text(text.encode(encoding)), "a.csv", UNITS).people] == ["李明"]


def test_english_headings_in_another_order_and_columns_passed_over() -> None:
    head = "name,unit,role,备注,title,telephone,mail,channel,circular,inactive\n"
    assert of("李明,9000-jy,liaison,随便写,科员,,a@b.cn,,weekly,no", head) == PersonFacts(
        "9000-jy", "李明", frozenset((LIAISON,)), "科员", "", True, False, (Way("email", "a@b.cn"),)
    )


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("没有这个局,李明,,,联络员,,,,", "[单位] 没有这个单位：没有这个局"),
        ("1县民政局,李明,,,联络员,,,,", "[单位] 名为“1县民政局”的单位有 2 个，请写单位代码（9001-mz、9003）"),
        ("市教育局（9001-mz）,李明,,,联络员,,,,", "[单位] 单位名称与代码不符：市教育局（9001-mz）"),
        ("1.50203E+11,李明,,,联络员,,,,", "[单位] 单位代码被表格软件改写为 1.50203E+11，请把这一列设为文本格式后重填，或改写单位全称"),
        ("市教育局,,科长,,联络员,,,,", "[姓名] 请填写姓名，人选未定的先不登记"),
        ("市教育局,待定,,,联络员,,,,", "[姓名] 请填写姓名，人选未定的先不登记"),
        ("市教育局,李明2,,,联络员,,,,", "[姓名] 姓名只能是文字，不超过 40 字，不能有数字或符号"),
        ("市教育局,<b>李明,,,联络员,,,,", "[姓名] 姓名只能是文字，不超过 40 字，不能有数字或符号"),
        (f"市教育局,{'李' * 41},,,联络员,,,,", "[姓名] 姓名只能是文字，不超过 40 字，不能有数字或符号"),
        (f"市教育局,李明,{'长' * 41},,联络员,,,,", "[职务] 职务不超过 40 字，不能换行"),
        ("市教育局,李明,,13947212345,联络员,,,,", "[电话] 只登记办公电话，不登记手机号码"),
        ("市教育局,李明,,１３９ ４７２１ ２３４５,联络员,,,,", "[电话] 只登记办公电话，不登记手机号码"),
        ("市教育局,李明,,问办公室,联络员,,,,", "[电话] 不是一个办公电话，应如 0472-5123456 转 801：问办公室"),
        ("市教育局,李明,,4.72512E+09,联络员,,,,", "[电话] 不是一个办公电话，应如 0472-5123456 转 801：4.72512E+09"),
        ("市教育局,李明,,,班主任,,,,", "[角色] 角色只能是 联络员、负责人、审核人：班主任"),
        ("市教育局,李明,科员,,,,,,", "[角色] 请至少写一个角色：联络员、负责人、审核人"),
        ("市教育局,李明,,,联络员,li.ming,,,", "[电子邮箱] 不是完整的邮箱地址：li.ming"),
        ("市教育局,李明,,,联络员,a@b.cn,email:c@b.cn,,", "[电子邮箱] 与“渠道”一列中的邮箱地址不同，请只写一处"),
        ("市教育局,李明,,,联络员,,email,,", "[渠道] 电子邮件须写邮箱地址"),
        ("市教育局,李明,,,联络员,,inbox:a,,", "[渠道] 站内消息不用写地址"),
        ("市教育局,李明,,,联络员,,inbox、站内消息,,", "[渠道] 渠道重复：站内消息"),
        ("市教育局,李明,,,联络员,,微信,,", "[渠道] 没有这个渠道：微信；可写 email（电子邮件）、inbox（站内消息）、ding-city（市级钉钉群）"),
        (f"市教育局,李明,,,联络员,,ding-city:{'a' * 65},,", "[渠道] 市级钉钉群中的成员标识不能有空格或标点，不超过 64 字"),
        ("市教育局,李明,,,联络员,,,每天,", "[通报] 通报只能是 周、月：每天"),
        ("市教育局,李明,,,联络员,,,,调走了", "[停用] 停用只能写 是 或 否：调走了"),
        ("市教育局,=A1,,,联络员,,,,", "[姓名] 不能是公式，请粘贴为数值（文本）后再导入"),
        ("市教育局,李明,@SUM(1),,联络员,,,,", "[职务] 不能是公式，请粘贴为数值（文本）后再导入"),
        ("市教育局,李明,,,联络员,,,,,多一格", "列数多于表头"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_row(row: str, sentence: str) -> None:
    assert fault(row) == f"人员.csv:2 {sentence}"


def test_a_sentence_never_repeats_a_personal_number() -> None:
    said = faults(
        f"{HEAD}市教育局,李明{ID_NUMBER},,{ID_NUMBER},{ID_NUMBER},{ID_NUMBER},{ID_NUMBER},{ID_NUMBER},{ID_NUMBER}\n"
    )
    assert len(said) == 7
    assert ID_NUMBER not in "".join(said)
    assert "疑似公民身份号码（150*************95），不能登记" in said[-2] + said[-1] + said[-3]


def test_every_fault_by_line_and_nobody_twice() -> None:
    text = f'{HEAD}市教育局,李明,,,联络员,,,,\n没有,,"两\n行",,无,,,,\n9000-jy,李　明,,,负责人,,,,\n'
    assert faults(text) == [
        "人员.csv:4 [单位] 没有这个单位：没有",
        "人员.csv:4 [角色] 角色只能是 联络员、负责人、审核人：无",
        "人员.csv:4 [姓名] 请填写姓名，人选未定的先不登记",
        "人员.csv:5 [姓名] 同一单位的同一人写了两行（已见于第 2 行）",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "人员.csv:1 表头缺少列：单位、姓名、角色"),
        ("单位,姓名\n市教育局,李明\n", "人员.csv:1 表头缺少列：角色"),
        (HEAD, "人员.csv:2 没有任何人员"),
        (f"{HEAD}市教育局,,,,,,,,\n", "人员.csv:2 没有任何人员"),
        ("单位,姓名,角色,手机\n市教育局,李明,联络员,\n", "人员.csv:1 不认识的列：手机；可用的列：单位、姓名、职务、电话、角色、电子邮箱、渠道、通报、停用"),
        ("单位,姓名,角色,邮箱,电子邮箱\n", "人员.csv:1 列重复：电子邮箱"),
        (f'{HEAD}市教育局,"李明,,,联络员,,,,\n', "人员.csv:2 引号不成对，或一格过长，无法按表格读取"),
        (f"{HEAD}市教育局,{'长' * 140_000},,,联络员,,,,\n", "人员.csv:2 引号不成对，或一格过长，无法按表格读取"),
    ],
)  # fmt: skip
def test_tables_that_are_none(text: str, sentence: str) -> None:
    assert faults(text) == [sentence]


def test_what_a_table_has_no_column_for_stays() -> None:
    ways = (Way("email", "a@b.cn"), Way("inbox"))
    known = PersonFacts("9000-jy", "李明", frozenset((LIAISON,)), "科员", "0472-5123456", True, False, ways)
    bare = parse_people("单位,姓名,角色\n市教育局,李明,负责人\n", "a.csv", UNITS)
    assert merged(known, bare.people[0], bare.columns) == PersonFacts(
        "9000-jy", "李明", frozenset((PRINCIPAL,)), "科员", "0472-5123456", True, False, ways
    )
    mail = parse_people("单位,姓名,角色,邮箱\n市教育局,李明,负责人,c@b.cn\n", "a.csv", UNITS)
    assert merged(known, mail.people[0], mail.columns).ways == (Way("email", "c@b.cn"), Way("inbox"))
    none = parse_people("单位,姓名,角色,邮箱\n市教育局,李明,负责人,\n", "a.csv", UNITS)
    assert merged(known, none.people[0], none.columns).ways == (Way("inbox"),)
    whole = parse_people(f"{HEAD}市教育局,李明,,,负责人,,,,\n", "a.csv", UNITS)
    assert merged(known, whole.people[0], whole.columns) == PersonFacts("9000-jy", "李明", frozenset((PRINCIPAL,)))


def test_the_table_that_goes_out_comes_back_the_same() -> None:
    people = [
        of("市教育局,王芳,科长,+86-472-5123456,联络员、负责人,w@b.cn,ding-city:w1、email,周、月,"),
        of("1县民政局（9003）,李明,,,审核人,,inbox,,是"),
    ]
    out = io.StringIO()
    rows = [["'" + cell if cell[:1] == "+" else cell for cell in row] for row in people_rows(UNITS, people)]
    csv.writer(out).writerows(rows)
    assert len(rows) == 1 + len(UNITS)
    back = parse_people(out.getvalue(), "a.csv", UNITS, CHANNELS).people
    assert sorted(back, key=lambda one: one.name) == sorted(people, key=lambda one: one.name)


def test_a_way_as_people_write_it() -> None:
    assert read_way(" 电子邮件 ", "Ａ@B.cn", CHANNELS) == Way("email", "a@b.cn")
    assert read_way("EMAIL", "nobody", CHANNELS) == Way("email", "nobody")
    assert read_way("fax", "1", CHANNELS) == Way("fax", "1")
    hostile = PersonFacts("9000-jy", "李明", frozenset((LIAISON,)), ways=(Way("ding-city", "a b<c>"),))
    assert list(faults_of(hostile, CHANNELS)) == [("渠道", "市级钉钉群中的成员标识不能有空格或标点，不超过 64 字")]
