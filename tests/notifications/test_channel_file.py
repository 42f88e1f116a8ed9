"""The channels file: what it makes, and what is said of a wrong one without repeating a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from notifications.channel_file import ChannelConfig, channels_file, load_channels, open_to_others
from notifications.servers import SmtpSettings
from policy_models.act_events import ActEvent
from policy_models.channels import ChannelKind
from policy_models.errors import Faulty

HOOK = "whsec_" + "QUJD" * 8
GOOD = f"""# 渠道
- code: ding
  kind: dingtalk
  name: 市级钉钉群
  url: https://oapi.dingtalk.com/robot/send?access_token=T0KEN
  secret: SECabcdef
  per_minute: 10
  keyword: 鹿程
- {{code: wx, kind: wecom, url: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=T0KEN"}}
- code: fs
  kind: feishu
  url: https://open.feishu.cn/open-apis/bot/v2/hook/T0KEN
  secret:
- code: hook
  kind: webhook
  url: http://10.1.2.3:8080/in
  secret: {HOOK}
  allow_private: true
- code: console
  kind: console
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "channels.yaml"
    monkeypatch.setenv("LUCHENG_DATA_DIR", str(tmp_path))
    return path


def faults(file: Path, text: str | bytes) -> list[str]:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(Faulty) as error:
        load_channels()
    assert "T0KEN" not in str(error.value)
    assert error.value.__cause__ is None or "T0KEN" not in repr(error.value.__cause__)
    return [str(one) for one in error.value.faults]


def test_without_a_file_the_inbox_alone(file: Path) -> None:
    assert list(load_channels()) == ["inbox"]
    for text in ("", "\n# 只有注释\n", "[]\n", "null\n"):
        file.write_text(text, "utf-8")
        assert list(load_channels()) == ["inbox"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_a_file_makes(file: Path, encoding: str) -> None:
    file.write_text(GOOD.replace("\n", "\r\n"), encoding, newline="")
    found = load_channels()
    assert [(one.code, one.kind.value, one.name, one.per_minute) for one in found.values()] == [
        ("inbox", "inbox", "站内消息", None),
        ("ding", "dingtalk", "市级钉钉群", 10),
        ("wx", "wecom", "企业微信机器人", 18),
        ("fs", "feishu", "飞书机器人", 90),
        ("hook", "webhook", "Webhook", 300),
        ("console", "console", "控制台", None),
    ]
    ding = found["ding"]
    assert ding.url.get_secret_value().endswith("T0KEN")
    assert (ding.secret.get_secret_value(), ding.keyword, ding.allow_private) == ("SECabcdef", "鹿程", False)
    assert found["hook"].allow_private is True
    assert found["fs"].secret.get_secret_value() == ""


def test_e_mail_comes_from_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUCHENG_SMTP_HOST", "smtp.163.com")
    monkeypatch.setenv("LUCHENG_SMTP_USER", "a@163.com")
    monkeypatch.setenv("LUCHENG_SMTP_PASSWORD", "T0KEN")
    email = load_channels()["email"]
    assert (email.kind, email.per_minute, email.smtp and email.smtp.address) == (ChannelKind.EMAIL, 60, "a@163.com")
    assert "T0KEN" not in f"{email!r}{email}{email.model_dump_json()}"


def test_where_the_file_lies(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert channels_file() == file
    assert channels_file(tmp_path / "else") == tmp_path / "else" / "channels.yaml"
    monkeypatch.setenv("LUCHENG_CHANNELS_FILE", "")
    assert channels_file() == file
    named = tmp_path / "渠道.yaml"
    monkeypatch.setenv("LUCHENG_CHANNELS_FILE", str(named))
    with pytest.raises(Faulty, match=r"^渠道.yaml 不能读取渠道文件：No such file or directory$"):
        load_channels()
    named.write_text(GOOD, "utf-8")
    assert len(load_channels()) == 6


def test_who_may_read_it(file: Path) -> None:
    assert open_to_others(file) is False
    file.write_text(GOOD, "utf-8")
    found = []
    for mode in (0o600, 0o400, 0o640, 0o604, 0o602):
        file.chmod(mode)
        found.append(open_to_others(file))
    assert found == [False, False, True, True, True]


ENTRY = "- code: a\n  kind: {kind}\n  url: {url}\n"
DING = "https://oapi.dingtalk.com/robot/send?access_token=T0KEN"


@pytest.mark.parametrize(
    ("kind", "url", "more", "sentence"),
    [
        ("dingtalk", DING.replace("https", "http"), "", ":3 [0.url] 须为 https 网址；内网地址可另写 allow_private: true 后用 http"),
        ("dingtalk", "https://oapi.dingtalk.com/robot/send", "", ":3 [0.url] 钉钉机器人的网址须带 access_token，请从机器人设置页完整复制"),
        ("dingtalk", "https://u:T0KEN@h/?access_token=x", "", ":3 [0.url] 网址中不能带用户名和密码"),
        ("dingtalk", f'"{DING}#x"', "", ":3 [0.url] 网址中不能有 #"),
        ("dingtalk", "T0KEN", "", ":3 [0.url] 不是完整的网址，应以 https:// 开头"),
        ("dingtalk", f'"{DING} x"', "", ":3 [0.url] 不是完整的网址，应以 https:// 开头"),
        ("dingtalk", f'"{DING}\\nHost: x"', "", ":3 [0.url] 不是完整的网址，应以 https:// 开头"),
        ("dingtalk", "ｈttps://h/?access_token=T0KEN", "", ":3 [0.url] 不是完整的网址，应以 https:// 开头"),
        ("dingtalk", "https://h:99999/?access_token=T0KEN", "", ":3 [0.url] 不是完整的网址，应以 https:// 开头"),
        ("dingtalk", "", "", ":1 [0.url] 缺少此项"),
        ("dingtalk", DING, "secret: T0KEN密", ":4 [0.secret] 密钥含有不能使用的字符"),
        ("dingtalk", DING, "secret: 12345", ":4 [0.secret] 须为文字（数字请加引号）"),
        ("dingtalk", DING, "secret: [T0KEN]", ":4 [0.secret] 须为文字（数字请加引号）"),
        ("dingtalk", DING, "per_minute: 21", ":4 [0.per_minute] 钉钉机器人每分钟不得超过 20 条"),
        ("dingtalk", DING, "per_minute: 0", ":4 [0.per_minute] 不得小于 1"),
        ("dingtalk", DING, "per_minute: many", ":4 [0.per_minute] 须为整数"),
        ("dingtalk", DING, "per_minute: 1.5", ":4 [0.per_minute] 须为整数"),
        ("dingtalk", DING, "allow_private: 好", ":4 [0.allow_private] 只能是 true 或 false"),
        ("dingtalk", DING, "T0KEN: x", f":1 [0] 没有这个字段，可用：{'、'.join(sorted(['code', 'kind', 'name', 'url', 'secret', 'per_minute', 'allow_private', 'keyword', 'acts', 'units']))}"),
        ("dingtalk", DING, "smtp: {smtp_host: h, smtp_user: a@b.cn}", ":1 [0] 发信服务器由环境变量 LUCHENG_SMTP_… 设置，不在此文件中设置"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=T0KEN", "secret: x", ":4 [0.secret] 企业微信机器人没有签名密钥，密钥就在网址的 key 中"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=T0KEN", "keyword: x", ":4 [0.keyword] 只有钉钉、飞书机器人有关键词"),
        ("webhook", "https://h/", "secret: T0KEN", ":4 [0.secret] Webhook 须有密钥：whsec_ 加 24 至 64 字节随机数的 Base64"),
        ("webhook", "https://h/", "secret: whsec_T0KEN===", ":4 [0.secret] Webhook 须有密钥：whsec_ 加 24 至 64 字节随机数的 Base64"),
        ("webhook", "https://h/", "name: x", ":1 [0.secret] Webhook 须有密钥：whsec_ 加 24 至 64 字节随机数的 Base64"),
        ("dingtalk", DING, "acts: [submitted]", ":4 [0.acts] 只有 webhook 可以订阅办理动态"),
        ("webhook", "https://h/", f"secret: {HOOK}\n  acts: [T0KEN]", f":5 [0.acts] 只能是 {'、'.join(ActEvent)}，各写一次"),
        ("webhook", "https://h/", f"secret: {HOOK}\n  acts: [accepted, accepted]", f":5 [0.acts] 只能是 {'、'.join(ActEvent)}，各写一次"),
        ("webhook", "https://h/", f"secret: {HOOK}\n  acts: accepted", ":5 [0.acts] 须为列表，如 [submitted, accepted]"),
        ("webhook", "https://h/", f"secret: {HOOK}\n  units: ['9001']", ":5 [0.units] 写明 acts 才能限定单位"),
        ("webhook", "https://h/", f"secret: {HOOK}\n  acts: [accepted]\n  units: ['9,1']", ":6 [0.units] 须为单位代码的列表"),
        ("webhook", "https://h/", f"secret: {HOOK}\n  acts: [accepted]\n  units: [9001]", ":6 [0.units] 须为文字（数字请加引号）"),
        ("email", "x", "", ":2 [0.kind] 电子邮件由环境变量 LUCHENG_SMTP_… 设置，不在此文件中设置"),
        ("inbox", "x", "", ":2 [0.kind] 站内消息始终可用，不在此文件中设置"),
        ("pigeon", "x", "", ":2 [0.kind] 只能是 console、dingtalk、wecom、feishu、webhook"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_entry(file: Path, kind: str, url: str, more: str, sentence: str) -> None:
    text = ENTRY.format(kind=kind, url=url) if url else f"- code: a\n  kind: {kind}\n"
    assert faults(file, text + (f"  {more}\n" if more else "")) == [f"channels.yaml{sentence}"]


def test_every_fault_at_once(file: Path) -> None:
    text = "- code: Ding\n  kind: console\n- code: a\n  kind: console\n- code: a\n  kind: console\n- kind: console\n- 渠道\n"
    assert faults(file, text + "- code: inbox\n  kind: console\n- 3\n-\n") == [
        "channels.yaml:1 [0.code] 只能用小写字母、数字、- 和 _，以字母开头，不超过 40 个字符",
        "channels.yaml:7 [3.code] 缺少此项",
        "channels.yaml:8 [4] 须为若干“字段: 值”",
        "channels.yaml:11 [6] 须为若干“字段: 值”",
        "channels.yaml:12 [7] 须为若干“字段: 值”",
        "channels.yaml:5 [2.code] 代码与前面的渠道重复",
        "channels.yaml:9 [5.code] 代码 inbox 留给系统自带的渠道，请改用其他代码",
    ]


BROKEN = "YAML 写法有误（含有特殊字符的网址和密钥请加引号；同一处的字段不能写两次）"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- code: a\n  secret: !T0KEN\n", ":2"),
        ("- code: a\n  secret: *T0KEN\n", ":2"),
        ("- code: a\n  secret: @T0KEN\n", ":2"),
        ("- code: a\n  secret: 'T0KEN\n", ":3"),
        ("- code: a\n  T0KEN: x\n  T0KEN: y\n", ":3"),
        ("- code: a\n url: x\n", ":2"),
        ("- ? {T0KEN: 1}\n  : x\n", ":1"),
        ("- code: a\x07T0KEN\n", ""),
        ("- &T0KEN [*T0KEN]\n", ":1"),
        ("- code: a\n  url: !!python/object:os.system T0KEN\n", ":2"),
    ],
)
def test_broken_yaml_is_told_by_its_line_alone(file: Path, text: str, line: str) -> None:
    assert faults(file, text) == [f"channels.yaml{line} {BROKEN}"]


def test_files_that_are_none(file: Path) -> None:
    unreadable = "channels.yaml 不是 UTF-8 或 GB18030 编码的文本，无法读取"
    assert faults(file, "- code: T0KEN".encode("utf-16")) == [unreadable]
    assert faults(file, b"\xff\xfe\xff") == [unreadable]
    assert faults(file, "code: a\nkind: T0KEN\n") == ["channels.yaml:1 须为渠道的列表，每项以“- code:”开头"]
    assert faults(file, "T0KEN\n") == ["channels.yaml:1 须为渠道的列表，每项以“- code:”开头"]
    assert faults(file, "- {code: a}\n" * 51) == ["channels.yaml 渠道不得超过 50 个"]
    file.unlink()
    file.mkdir()
    with pytest.raises(Faulty, match=r"^channels.yaml 不能读取渠道文件：Is a directory$"):
        load_channels()


def test_the_digest_is_of_what_matters() -> None:
    config = ChannelConfig(code="a", kind=ChannelKind.DINGTALK, url=SecretStr(DING), secret=SecretStr("s"))
    changed: list[dict[str, object]] = [
        {"kind": ChannelKind.FEISHU},
        {"url": SecretStr(DING + "x")},
        {"secret": SecretStr("t")},
        {"allow_private": True},
        {"keyword": "词"},
    ]
    digests = {config.digest, *(config.model_copy(update=one).digest for one in changed)}
    assert len(digests) == 6
    assert all(len(one) == 64 and int(one, 16) for one in digests)
    assert config.model_copy(update={"name": "新名", "per_minute": 3, "code": "b"}).digest == config.digest
    smtp = SmtpSettings(smtp_host="h", smtp_user="a@b.cn")
    mail = ChannelConfig(code="email", kind=ChannelKind.EMAIL, smtp=smtp)

    def digest(**facts: object) -> str:
        return mail.model_copy(update={"smtp": smtp.model_copy(update=facts)}).digest

    others = [digest(smtp_host="i"), digest(smtp_port=26), digest(smtp_user="c@b.cn"), digest(smtp_from="局 <a@b.cn>")]
    assert len({mail.digest, *others, digest(smtp_security=SmtpSettings(smtp_security="none").smtp_security)}) == 6  # type: ignore[arg-type]
    assert digest(smtp_password=SecretStr("new"), smtp_timeout=9.0) == mail.digest


def test_listening_to_acts_needs_a_test_of_its_own() -> None:
    """Whoever confirmed a channel for letters did not confirm that every act goes there."""
    plain = ChannelConfig(code="a", kind=ChannelKind.WEBHOOK, url=SecretStr("https://h/"), secret=SecretStr(HOOK))
    some = plain.model_copy(update={"acts": ("accepted",)})
    narrowed = some.model_copy(update={"units": ("9001",)})
    assert len({plain.digest, some.digest, narrowed.digest}) == 3


def test_a_config_never_shows_what_was_wrong() -> None:
    with pytest.raises(ValidationError) as error:
        ChannelConfig.model_validate({"code": "a", "kind": "dingtalk", "url": ["T0KEN"], "secret": 5, "T0KEN": 1})
    assert "['T0KEN']" not in str(error.value)
