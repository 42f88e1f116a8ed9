"""Names and home addresses, found by the label before them: lists of surnames miss Mongolian names, labels do not.

A name passes when it is none: 张某某, 李XX, 小明（化名), 父母, 见附件.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_models.privacy_numbers import Hit

SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞"
    "熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣贲邓"
    "郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊於惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁"
    "仇栾暴甘钭厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍"
    "璩桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越"
    "夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公肖闫付代佟涂覃岳撒冶苑鹿仝苟补税么侣刑亢"
)
COMPOUND = (
    "欧阳",
    "司马",
    "诸葛",
    "上官",
    "夏侯",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "宇文",
    "长孙",
    "司徒",
    "司空",
    "端木",
    "呼延",
)
# the characters in which Mongolian names are written
MONGOLIAN = frozenset(
    "阿巴拜白宝包保毕布必朝查敖奥达丹德道丁都敦额恩嘎噶格根古哈海浩和赫呼胡吉金喀卡克拉兰勒雷力林玛满毛蒙孟米敏莫木穆那娜纳尼"
    "诺欧其齐奇钦琴青清仁日荣如萨赛桑沙珊山斯苏孙塔台泰特腾图托陶铁通乌吾希锡喜雅彦仪伊音英云扎珠朱卓高娃花梅玉尔思旺扬央迪"
    "坦鲁罗龙洛贡确楚策车苍岱杜贵干嘉宁努帕色什舒索绰卜昂晋阳萌明伦吐温新"
)
NOT_NAMES = re.compile(
    "姓名|性别|年龄|民族|电话|手机|联系|出生|身份|证件|号码|住址|地址|户籍|籍贯|学校|班级|年级|学籍|单位|职务|职业|关系|备注|签名"
    "|签字|盖章|序号|日期|时间|地点|人数|合计|总数|小计|数量|类别|类型|情况|信息|政治|文化|健康|就读|银行|账号|父母|父亲|母亲|祖父"
    "|祖母|外祖|爷爷|奶奶|姥姥|姥爷|外公|外婆|爸爸|妈妈|亲属|亲戚|邻居|监护|委托|照护|照料|抚养|看护|留守|困境|儿童|孩子|学生|家长"
    "|未成年|外出|务工|打工|无人|不详|未知|保密|隐私|略去|化名|匿名|附件|附表|名单|详见|填写|如下|以下|如上|全体|全部|全市|全区"
    "|全县|全旗|所有|部分|每个|各自|各类|各级|本人|他人|其他|另一|双方|一方|责任|履行|落实|加强|教育|安全|心理|关爱|服务|活动|工作"
    "|培训|宣传|走访|探访|家访|档案|政策|法律|法治|救助|保障|保护|帮扶|帮助|指导|学习|生活|成长|意识|能力|高度|及时|定期|积极"
    "|认真|主动|通过|经过|已经|没有|均为|均已|都是|共计|共有|约为|人员|干部|主任|老师|教师|同学|代表|志愿|社工|社区|嘎查|村民|村委"
    "|居委|街道|镇政|旗县|县区|民政|局长|参加|参与|到场|签订|签署|签到|同意|知情|不得|不能|不在|应当|应该|可以|需要|必须|请勿|请填"
    "|禁止|统计|汇总|登记|更新|变更|核实|属实|暂无|待定|待补|正常|良好|一般|男性|女性|女孩|男孩|蒙古族|汉族|回族|满族|满意|平均"
    "|小学|初中|高中|幼儿|中心|平台|热线|视频|通话|返乡|春节|寒假|暑假|作业|读书|阅读|午餐|体检|疫苗|资助|补贴|津贴|发放|领取"
    "|现场|线上|线下|方式|内容|主题|要求|标准|原则|措施|问题|建议|意见|原因|无此|无新|解决|协议|承诺|告知|须知|手册|平安|温馨"
    "|国家|公民|公安|公益|公示|文件|文化|文明|广泛|丰富|东河|青山|昆都|九原|石拐|白云|固阳|土右|达茂|包头|成员|成绩|成立|成功"
    "|计划|计入|相关|相应|关于|关注|关心|时刻|时常|常年|常住|经常|经济|经办|解答|应急|应知|强化|强制|向上|从事|从未|明确|明显|和睦"
    "|和谐|和家|平时|平等|连续|连同|单亲|单独|双亲|双女|左右|别人|居住|居家|农村|农民|农牧|牧民|牧区|劳动|劳务|尚未|尚可|充分"
    "|终身|管理|支持|支部|包括|包保|包联|后续|后期|易地|于是|万元|万人|权益|益处|空白|空缺|须知|须填|代理|代办|代为|代管"
    "|[无略详某等]|^(?:男|女|是|否|有|同|同上)$"
)
CJK = r"[㐀-鿿豈-龎\U00020000-\U0003134f]"
DOTTED = re.compile(rf"{CJK}{{1,8}}(?:·{CJK}{{1,8}}){{1,3}}")
SPREAD = re.compile(rf"{CJK}(?: {{1,4}}{CJK}){{1,2}}(?!{CJK})")
RUN = re.compile(rf"{CJK}{{2,13}}")
LATIN = re.compile(
    r"[A-Z][a-z]{1,12} [A-Z][a-z]{1,15}(?: [A-Z][a-z]{1,15})?(?![A-Za-z])|[\u1820-\u1842\u1843-\u1878]{3,20}"
)
GOES_ON = re.compile(
    "身份|电话|手机|联系|性别|男|女|年龄|现年|今年|出生|家住|家庭|住|户籍|系|同学|小朋友|老师|的|和|与|及|因|在|就读|为|是|由"
    "|先生|女士|父亲|母亲|监护|微信|证件|学籍|于|等|已|患|被|其"
)
NOT_REAL = re.compile(r"[^\n:\w]{0,2}(?:均为|系|为)?(?:化名|匿名|假名|代称)")

OWN_NAME = r"姓[ _]{0,6}名|名字|曾用名|名叫"
PERSON = (
    "法定监护人|监护人|委托照护人|受委托人|被委托人|照护人|照料人|抚养人|看护人|被监护人|家长|父亲|母亲|爸爸|妈妈|爷爷|奶奶|姥姥|姥爷"
    "|外公|外婆|儿童|学生|孩子|幼儿|女童|男童|孤儿|女孩|男孩|儿子|女儿|户主|受助人|救助对象|帮扶对象|走访对象|关爱对象|服务对象|申请人|当事人"
)
LABEL = re.compile(
    rf"(?:(?P<own>{OWN_NAME})|(?P<person>{PERSON})(?P<named>的?(?:姓[ _]{{0,6}}名|名字))?|(?<!{CJK})[父母](?=[:\t]))"
    r"(?P<note>(?:\([^()\n]{0,12}\)){0,2})(?P<gap>[ _]{0,8}(?::|=|\t|叫做?|为|是)?[\s_]{0,8}[\"'“‘【\[「<《(]{0,2})"
)
# the names of those who do the work may be told
STAFF = re.compile(
    "(?:经办|填报|填表|负责|责任|审核|审批|联络|联系|主管|分管|领导|社工|工作者|志愿者|主任|督导员|干部|工作人员|教师|老师|医生|律师"
    "|讲师|主讲|记录|制表|校长|书记|人员|调查员|走访人|作者|签到人)(?:人|员|的)?$"
)
QUOTED = re.compile("[\"'“‘《]")
MARK = re.compile(r"[:=\t\n叫]")
MORE = re.compile(r"(?:\([^()\n]{0,12}\))?[ ]?[、,/;和及与][ ]?|(?:\([^()\n]{0,12}\))?[ ]{1,3}(?=[㐀-鿿])")
TOLD = re.compile(
    rf"(?:儿童|学生|孩子|女童|男童|孤儿)(?P<name>{CJK}{{2,3}})(?=[(,，、](?:男|女|\d{{1,2}} ?岁)|今年|现年|同学|小朋友)"
)
ADDRESS = re.compile(
    r"(?:家庭|现居?|户籍|居住|常住|经常居住|监护人|儿童|学生|本人|户口)(?:详细|通讯|所在)?(?:住址|地址|住所|地)|住[ _]{0,6}址|家住|居住地|户籍所在地"
    r"|户口所在地|现住|住在"
)
DOOR = re.compile(
    r"[\d零一二三四五六七八九十百]{1,5} ?(?:号|栋|幢|单元|室|-\d)(?:\d{1,5}室?)?|(?:村|嘎查|社区|屯|营|社|队)[^,;\s]{0,6}?[\d一二三四五六七八九十]{1,3} ?(?:组|队|社|户)"
)
VALUE = re.compile(r"[ _]{0,4}(?:\([^()\n]{0,12}\))?[ _]{0,4}[:\t为是]?[ \t_]{0,8}(?P<value>[㐀-鿿][^\n\t。;]{2,60})")
NAME_WHY, ADDRESS_WHY = "疑似姓名", "疑似家庭住址"


def words(text: str) -> Iterator[Hit]:
    """Names and home addresses in a folded text."""
    for found in LABEL.finditer(text):
        yield from _names_after(text, found)
    for found in TOLD.finditer(text):
        name = found["name"]
        if name[0] in SURNAMES and not NOT_NAMES.search(name):
            yield Hit("name", False, *found.span("name"), NAME_WHY)
    for found in ADDRESS.finditer(text):
        if hit := _address_after(text, found.end()):
            yield hit


def _names_after(text: str, label: re.Match[str]) -> Iterator[Hit]:
    gap, sure = label["gap"], bool(label["own"] or label["named"])
    marked = MARK.search(gap) is not None and not ("叫" in gap and QUOTED.search(gap))  # 名叫“暖冬”的活动
    if not marked and not (sure or "为" in gap or "是" in gap or (" " in gap and "人" in label.group())):
        return
    start, strict = label.end(), not (sure and marked)
    end = name_end(text, start, strict=strict)
    if end is None or "化名" in label["note"] or STAFF.search(text[max(0, label.start() - 8) : label.start()]):
        return
    while True:  # names in a row, each after a comma
        if not NOT_REAL.match(text, end):
            nickname = end - start == 2 and text[start] in "小阿老"
            yield Hit("name", not nickname, start, end, NAME_WHY)
        between = MORE.match(text, end)
        if not between or (end := name_end(text, between.end(), strict=True) or 0) == 0:
            return
        start = between.end()


def name_end(text: str, start: int, *, strict: bool) -> int | None:
    """Where a name that begins here ends. ``strict``: the label alone does not yet make it one."""
    if dotted := DOTTED.match(text, start):
        return None if NOT_NAMES.search(dotted.group()) else dotted.end()
    if (spread := SPREAD.match(text, start)) and spread.group()[0] in SURNAMES and not NOT_NAMES.search(spread.group()):
        return spread.end()
    run = RUN.match(text, start)
    if run is None:
        latin = None if strict else LATIN.match(text, start)
        return latin.end() if latin else None
    return _in_run(run.group(), start, strict)


def _in_run(run: str, start: int, strict: bool) -> int | None:
    """The name at the beginning of a run of Chinese characters: all of it, or what stands before a word that follows
    names."""
    if len(run) <= 8 and _is_name(run, strict):
        return start + len(run)
    words_in = [found.start() for found in NOT_NAMES.finditer(run)]
    for length in (3, 2, 4, 5, 6, 7):
        if any(at < length for at in words_in):
            continue
        if length < len(run) and GOES_ON.match(run, length) and _is_name(run[:length], True):
            return start + length
    return None


def _is_name(word: str, strict: bool) -> bool:
    if NOT_NAMES.search(word) or len(word) > 8:
        return False
    if word.startswith(COMPOUND) and 3 <= len(word) <= 4:
        return True
    if len(word) <= 3 and word[0] in SURNAMES:
        return True
    return (len(word) >= 3 and MONGOLIAN.issuperset(word)) or (len(word) <= 4 and not strict)


def _address_after(text: str, start: int) -> Hit | None:
    """A street or a village, down to the door."""
    line = VALUE.match(text, start)
    if line is None:
        return None
    ends = [door.end() for door in DOOR.finditer(text, *line.span("value"))]
    return Hit("address", True, line.start("value"), ends[-1], ADDRESS_WHY) if ends else None
