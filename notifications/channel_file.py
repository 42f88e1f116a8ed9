"""渠道设置: the channels as the administrator's file names them, with the two that need no file.

The file holds secrets: nothing that is said about it repeats what stands there, and nobody but the product's own user
should be able to read it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from notifications.channel_checks import wrong
from notifications.channel_config import ChannelConfig
from notifications.servers import SmtpSettings
from notifications.settings import CHANNELS_FILE, NoticeSettings
from policy_models.channels import EMAIL_CODE, INBOX_CODE, KINDS, ChannelKind
from policy_models.errors import Fault, Faulty, PlanInvalid
from policy_models.plan_yaml import Document, read_document
from policy_models.text import decode_text

__all__ = ["ChannelConfig", "channels_file", "load_channels", "open_to_others"]

MOST_CHANNELS = 50
FIELDS = frozenset({"code", "kind", "name", "url", "secret", "per_minute", "allow_private", "keyword", "acts", "units"})
SENTENCES = {
    "missing": "缺少此项",
    "string_type": "须为文字（数字请加引号）",
    "string_pattern_mismatch": "只能用小写字母、数字、- 和 _，以字母开头，不超过 40 个字符",
    "string_too_long": "不得超过 {max_length} 个字",
    "string_too_short": "不得为空",
    "enum": "只能是 console、dingtalk、wecom、feishu、webhook",
    "int_type": "须为整数",
    "int_parsing": "须为整数",
    "int_from_float": "须为整数",
    "greater_than_equal": "不得小于 {ge}",
    "less_than_equal": "不得大于 {le}",
    "bool_type": "只能是 true 或 false",
    "bool_parsing": "只能是 true 或 false",
    "tuple_type": "须为列表，如 [submitted, accepted]",
    "too_long": "项目过多",
}


def channels_file(data_dir: Path | None = None) -> Path:
    """The file that names the channels: LUCHENG_CHANNELS_FILE, else channels.yaml in the data folder."""
    settings = NoticeSettings()
    return settings.channels_file or (data_dir or settings.data_dir) / CHANNELS_FILE


def load_channels(data_dir: Path | None = None) -> dict[str, ChannelConfig]:
    """Every channel by its code: the inbox, e-mail where LUCHENG_SMTP_HOST is set, and those of the channels file.
    ``data_dir``: of the command line, over the environment's.

    Raises Faulty with every fault by file, line and field, without any value that stands there, and ValidationError for
    wrong SMTP settings. A file that is not there is no fault, unless LUCHENG_CHANNELS_FILE names it.
    """
    found = {INBOX_CODE: _of_kind(INBOX_CODE, ChannelKind.INBOX)}
    smtp = SmtpSettings()
    if smtp.configured:
        found[EMAIL_CODE] = _of_kind(EMAIL_CODE, ChannelKind.EMAIL, smtp=smtp)
    path = channels_file(data_dir)
    if path.exists() or NoticeSettings().channels_file:
        found |= {one.code: one for one in _of_file(path)}
    return found


def open_to_others(path: Path) -> bool:
    """Whether others on this machine than its owner may read or change the file; False where there is none."""
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def _of_kind(code: str, kind: ChannelKind, **more: Any) -> ChannelConfig:
    return ChannelConfig(code=code, kind=kind, name=KINDS[kind].name, per_minute=KINDS[kind].per_minute, **more)


def _of_file(path: Path) -> list[ChannelConfig]:
    """Raises Faulty."""
    document = _document(path)
    entries = [] if document.data is None else document.data
    if not isinstance(entries, list):
        raise Faulty([Fault(path.name, 1, "", "须为渠道的列表，每项以“- code:”开头")])
    if len(entries) > MOST_CHANNELS:
        raise Faulty([Fault(path.name, None, "", f"渠道不得超过 {MOST_CHANNELS} 个")])
    faults: list[Fault] = []
    found: list[ChannelConfig] = []
    for place, entry in enumerate(entries):
        try:
            config = _entry(entry)
        except ValidationError as error:
            faults += [document.fault((place, *_field(one)), _sentence(one)) for one in error.errors()]
            continue
        faults += [document.fault((place, field) if field else (place,), said) for field, said in wrong(config)]
        found.append(config)
    faults += _doubles(document, [entry.get("code") if isinstance(entry, dict) else None for entry in entries])
    if faults:
        raise Faulty(faults)
    return found


def _document(path: Path) -> Document:
    """The file as YAML. What the parser says is left out: it may repeat a secret. Raises Faulty."""
    try:
        text = decode_text(path.read_bytes(), path.name)
    except OSError as error:
        raise Faulty([Fault(path.name, None, "", f"不能读取渠道文件：{error.strerror}")]) from error
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return Document(path.name, None, None)
    try:
        return read_document(text, path.name)
    except PlanInvalid as error:
        known = {one.line for one in error.faults if one.line is not None}
        lines: list[int | None] = [*sorted(known)]
    except Exception:  # noqa: BLE001 - whatever else a parser says of it may hold a secret as well
        lines = []
    sentence = "YAML 写法有误（含有特殊字符的网址和密钥请加引号；同一处的字段不能写两次）"
    raise Faulty([Fault(path.name, line, "", sentence) for line in lines or [None]])


def _entry(entry: object) -> ChannelConfig:
    """Raises ValidationError."""
    if isinstance(entry, Mapping):
        entry = {key: value for key, value in entry.items() if value is not None}
    found = ChannelConfig.model_validate(entry)
    facts = KINDS[found.kind]
    defaults = {"name": found.name or facts.name, "per_minute": found.per_minute or facts.per_minute}
    return found.model_copy(update=defaults)


def _field(error: Mapping[str, Any]) -> tuple[str, ...]:
    """The field that a finding is about, where it is one that we know: what else stands there may be a secret."""
    return tuple(str(step) for step in error["loc"] if step in FIELDS)


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return f"没有这个字段，可用：{'、'.join(sorted(FIELDS))}"
    if error["type"].startswith("model_"):
        return "须为若干“字段: 值”"
    return SENTENCES.get(error["type"], "写法不符").format(**error.get("ctx", {}))


def _doubles(document: Document, codes: list[object]) -> Iterator[Fault]:
    seen: set[object] = {INBOX_CODE, EMAIL_CODE}
    for place, code in enumerate(codes):
        if not isinstance(code, str):
            continue
        if code in (INBOX_CODE, EMAIL_CODE):
            yield document.fault((place, "code"), f"代码 {code} 留给系统自带的渠道，请改用其他代码")
        elif code in seen:
            yield document.fault((place, "code"), "代码与前面的渠道重复")
        seen.add(code)
