"""What /api/v1 is sent about items: strict, since a field that is misread is worse than one that is refused."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StringConstraints, WithJsonSchema

from api.answers import says
from api.dependencies import civil, printable

Scalar = bool | int | float | None
LINE = r"^[^\x00-\x1f\x7f]*$"


class Body(BaseModel):
    """Unknown fields are refused: a slip of the pen must not look like a success."""

    model_config = ConfigDict(extra="forbid")


def _civil_day(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise ValueError("日期须写作 2025-06-30 的样子")
    return civil(value)


def plain_words(value: object) -> object:
    """Words of several lines: no control characters, no halves of characters."""
    if isinstance(value, str) and any(c not in "\n\t\r" and unicodedata.category(c) in ("Cc", "Cs") for c in value):
        raise ValueError("文字中含有不能保存的控制字符，请删去后重新提交")
    return value


def text(most: int) -> Any:
    """The type of words of several lines, of at most so many characters."""
    return Annotated[str, BeforeValidator(plain_words), StringConstraints(max_length=most, strict=True)]


def line(most: int, least: int = 0) -> Any:
    """The type of words in one line."""
    return Annotated[str, BeforeValidator(printable), StringConstraints(max_length=most, min_length=least, strict=True)]


Day = Annotated[
    date | None, BeforeValidator(_civil_day), WithJsonSchema({"type": ["string", "null"], "format": "date"})
]
Name = Annotated[str, BeforeValidator(printable), StringConstraints(max_length=40, strict=True)]
Key = Annotated[str, BeforeValidator(printable), StringConstraints(max_length=120, min_length=1, strict=True)]
Note = Annotated[str, BeforeValidator(plain_words), StringConstraints(max_length=500, strict=True)]
Words = Annotated[str, BeforeValidator(plain_words), StringConstraints(max_length=2000, strict=True)]
Id = Annotated[StrictInt, Field(ge=1, lt=2**62)]
Revision = Annotated[StrictInt, Field(ge=0, lt=2**31)]


def _figure(value: object) -> object:
    """As it would be typed into the page's field: its rules are the only ones."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, type(None))):
        raise ValueError("指标须为数字")
    if isinstance(value, int) and abs(value) >= 10**15:
        raise ValueError("指标的数值过大")
    return "" if value is None else str(printable(value))


Figure = Annotated[
    Annotated[str, StringConstraints(max_length=40)],
    BeforeValidator(_figure),
    WithJsonSchema({"type": ["number", "string", "null"]}),
]


class By(Body):
    by_name: Name = says("经办人；不写为账号的显示名称", "某某街道经办人", default="")


class FigureIn(Body, title="一个指标"):
    name: Name = says("指标的名称（见任务的 measures）", "signed")
    value: Figure = says("指标的值", 412)
    of: Figure = says("分母；没有分母的不写", 455, default="")


class FileIn(Body, title="引用一个已上传的文件"):
    id: Id = says("文件编号", 31)
    type: Literal["photo", "document", "sign_in"] = says("作为哪一类材料", "photo")
    name: Annotated[str, BeforeValidator(printable), StringConstraints(max_length=120, strict=True)] = says(
        "另取的文件名；不写为原名", "", default=""
    )
    effective_on: Day = says("发生日期", None, default=None)


class SubmitIn(By, title="报送"):
    figures: list[FigureIn] = Field([], max_length=50, description="指标", examples=[[]])
    text: Words = says("文字说明", "入户核对完成，协议已全部更新", default="")
    link: Note = says("链接", "", default="")
    nothing_new: Note | None = says("答复“无新增、无此情况”的理由；不作此答复为 null", None, default=None)
    effective_on: Day = says("发生日期", "2025-06-18", default=None)
    files: list[FileIn] | None = Field(
        None, max_length=1000, description="以这些文件报送；不写为草稿中已有的文件", examples=[None]
    )
    note: Note = says("备注", "", default="")


class NoteIn(By, title="附言"):
    note: Note = says("附言；可不写", "", default="")


class ReasonIn(By, title="理由"):
    reason: Note = says("理由，报送单位可见", "缺签到表")


class SeenIn(Body, title="批量审核中的一件"):
    key: Key = says("办理件编号", "baotou-2024:5.2:150203001:2025Q2")
    revision: Revision | None = says("您看到的版本号；不写为不核对", 2, default=None)


class BulkIn(By, title="批量审核"):
    verdict: Literal["accept", "send_back"] = says("accept 通过、send_back 退回", "accept")
    items: list[SeenIn] = Field(min_length=1, max_length=2000, description="办理件，限嘎查村社区")
    note: Note = says("审核意见；退回时为理由，必须写", "", default="")


class ExtendIn(By, title="申请延期"):
    wanted: Day = says("申请延至哪一天", "2025-07-15")
    reason: Note = says("理由", "入户核对尚未完成")


class GrantIn(NoteIn, title="同意延期"):
    until: Day = says("同意延至哪一天；不写为申请的日期", None, default=None)
