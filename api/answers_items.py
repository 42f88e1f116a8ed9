"""What /api/v1 answers about one item: history, evidence, drafts, requests for a later deadline, many at once."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer

from api.answers import Answer, ItemOut, says
from ledger.extensions import Answer as Decision
from policy_models.lifecycle import Act, State
from policy_models.plan import EvidenceType

Number = Annotated[Decimal, PlainSerializer(lambda value: format(value, "f"), return_type=str)]


class FileOut(Answer, title="文件"):
    id: int = says("文件编号；引用时写入 files", 31)
    name: str | None = says("文件名", "活动现场.jpg")
    kind: str = says("格式", "jpeg")
    bytes: int = says("大小（字节）", 204800)
    sha256: str = says("内容的 SHA-256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    path: str = says("下载地址（同一主机）", "/files/31/活动现场.jpg")


class EvidenceOut(Answer, title="一份佐证材料"):
    type: EvidenceType = says("类别", "measure")
    name: str | None = says("指标的名称；其他类别为 null", "signed")
    value: Number | None = says("指标的值，十进制文本", "412")
    of: Number | None = says("指标的分母，十进制文本", "455")
    text: str | None = says("文字、链接或理由", None)
    effective_on: date | None = says("发生日期", "2025-06-18")
    file: FileOut | None = Field(description="文件；没有为 null")


class EntryOut(Answer, title="一条办理记录"):
    revision: int = says("办理后的版本号", 2)
    act: Act = says("办理", "submit")
    state: State = says("办理后的状态", "submitted")
    by_unit: str = says("办理单位代码；系统办理为空", "150203001")
    by_name: str = says("经办人", "某某街道经办人")
    at: datetime = says("时刻（UTC）", "2025-06-20T02:11:00Z")
    note: str | None = says("备注或理由", None)
    evidence: list[EvidenceOut] = Field(description="随这次报送提交的材料")


class ExtensionOut(Answer, title="延期申请"):
    id: int = says("申请编号", 7)
    key: str = says("办理件编号", "baotou-2024:5.2:150203001:2025Q2")
    unit: str = says("申请单位代码", "150203001")
    planned: date = says("申请时的时限", "2025-06-30")
    wanted: date = says("申请延至", "2025-07-15")
    reason: str = says("理由", "入户核对尚未完成")
    by_name: str = says("申请人", "某某街道经办人")
    requested_at: datetime = says("申请时刻（UTC）", "2025-06-20T02:11:00Z")
    state: Decision = says("状态：requested、granted、refused、withdrawn", "requested")
    granted: date | None = says("同意的时限", None)
    decided_by: str | None = says("审批人", None)
    decided_at: datetime | None = says("审批时刻（UTC）", None)
    note: str | None = says("审批意见", None)


class ItemDetailOut(ItemOut, title="办理件及其记录"):
    reason: str | None = says("最近一次退回或豁免的理由", None)
    returns: int = says("已退回几次", 0)
    first_submitted_on: date | None = says("首次报送日期", "2025-06-20")
    history: list[EntryOut] = Field(description="全部办理记录，最早的在前")
    evidence: list[EvidenceOut] = Field(description="现行报送的材料；没有报送或已撤回为空")
    extensions: list[ExtensionOut] = Field(description="延期申请，最早的在前")


class PieceOut(EvidenceOut, title="草稿中的一份材料"):
    id: int = says("草稿中的编号", 4)


class DraftOut(Answer, title="草稿"):
    key: str = says("办理件编号", "baotou-2024:5.2:150203001:2025Q2")
    revision: int = says("办理件的版本号", 1)
    pieces: list[PieceOut] = Field(description="已放入草稿、尚未报送的材料")


class TakenOut(Answer, title="一份上传文件的结果"):
    name: str = says("文件名", "活动现场.jpg")
    outcome: Literal["kept", "there", "refused"] = says("kept 已收、there 草稿中已有、refused 未收", "kept")
    sentence: str = says("未收的原因", "")


class UploadOut(Answer, title="上传结果"):
    files: list[TakenOut] = Field(description="各文件的结果，按上传先后")
    draft: DraftOut = Field(description="上传后的草稿")


class LeftItemOut(Answer, title="未办理的一件"):
    key: str = says("办理件编号", "baotou-2024:5.2:150203001:2025Q2")
    state: State = says("现在的状态", "accepted")
    revision: int = says("现在的版本号", 3)


class BulkOut(Answer, title="批量审核的结果"):
    done: list[str] = says("已办理的办理件编号", ["baotou-2024:5.2:150203001:2025Q2"])
    left: list[LeftItemOut] = Field(description="他人已先办理、这次未动的办理件")


class ExtensionsOut(Answer, title="一个单位的延期申请"):
    waiting: list[ExtensionOut] = Field(description="等待这个单位审批的申请")
    own: list[ExtensionOut] = Field(description="这个单位提出的申请")
