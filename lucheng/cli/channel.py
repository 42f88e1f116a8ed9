"""`lucheng channel`: the ways out, each tested and confirmed before anything leaves by it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from api.telling import KIND_NAMES
from ledger import channels, outbox
from ledger.channels import ChannelStanding
from ledger.civil import SHANGHAI
from ledger.queries.messages import UNSETTLED, MessageRow, messages
from ledger.settings import LadderSettings
from lucheng.opening import open_ledger, settings_for, utc_now
from lucheng.options import AsJson, DataDir
from lucheng.output import print_json, print_table, screen
from notifications.channel_config import ChannelConfig
from notifications.channel_file import channels_file, load_channels
from notifications.channels import deliver
from notifications.trial import new_number, trial_address, trial_letter
from policy_models.channels import KINDS, ChannelKind
from policy_models.delivery import CHANNEL_STATE_NAMES, MESSAGE_STATE_NAMES, WAITING_NAMES, MessageState
from policy_models.errors import ActNotAllowed, NotFound

app = typer.Typer(help="渠道：列出、发送测试消息、确认、停用；未送达的消息", no_args_is_help=True)
Code = Annotated[str, typer.Argument(metavar="代码", help="渠道代码，见 lucheng channel list")]
COLUMNS = {"code": "代码", "kind": "种类", "name": "名称", "state": "状态", "sent_at": "最近成功", "error": "最近错误"}

KINDS_OF_MESSAGE = KIND_NAMES | {"receipt": "来信回执"}
MESSAGE_COLUMNS = {
    "id": "编号",
    "channel": "渠道",
    "kind": "种类",
    "to": "收件",
    "state": "状态",
    "attempts": "次数",
    "error": "错误或答复",
}


@app.command("list")
def list_channels(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出渠道及其状态；不显示网址和密钥。"""
    settings = settings_for(data_dir)
    found = load_channels(settings.data_dir)
    with open_ledger(settings, create=False) as database, database.read() as session:
        standings = channels.standings(session)
    now = utc_now(settings)
    codes = [*found, *sorted(set(standings) - set(found))]
    rows = [_row(code, found.get(code), standings.get(code), now) for code in codes]
    if as_json:
        return print_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    print_table(tuple(COLUMNS.values()), rows)
    screen.print(f"渠道文件：{channels_file(settings.data_dir)}")


def _row(
    code: str, config: ChannelConfig | None, standing: ChannelStanding | None, now: datetime
) -> tuple[str | None, ...]:
    kind = config.kind if config else ChannelKind(standing.kind) if standing else ChannelKind.INBOX
    sent = standing.sent_at.astimezone(SHANGHAI) if standing and standing.sent_at else None
    return (
        code,
        KINDS[kind].name,
        config.name if config else "",
        CHANNEL_STATE_NAMES[channels.state_of(config, standing, now)],
        f"{sent:%Y-%m-%d %H:%M}" if sent else None,
        standing.error if standing else None,
    )


@app.command("test")
def send_test(
    code: Code,
    to: Annotated[str | None, typer.Option("--to", help="收件地址（电子邮件渠道须写明）", metavar="地址")] = None,
    data_dir: DataDir = None,
) -> None:
    """由渠道发送一条带六位确认码的测试消息；此前的确认随之失效。"""
    settings = settings_for(data_dir)
    config = _config(code, load_channels(settings.data_dir))
    if not config.facts.leaves:
        raise ActNotAllowed(f"渠道 {code} 不向外发送，无需测试")
    if config.facts.addressed and not to:
        raise ActNotAllowed(f"渠道 {code} 须写明收件地址：lucheng channel test {code} --to 邮箱")
    where = trial_address(config, to)
    with open_ledger(settings, create=False) as database:
        number, now = new_number(), utc_now(settings)
        answer = deliver(config, trial_letter(config, number, now=now, address=where), now=now)
        with database.write() as session:
            listens = {"acts": config.acts, "units": config.units}
            channels.note_test(session, code, config.kind.value, config.digest, number=number, now=now, **listens)
    screen.print(f"测试消息已发出{f'，对方答复：{answer}' if answer else ''}")
    screen.print(f"收到后请运行 lucheng channel confirm {code} 确认码")


@app.command()
def confirm(
    code: Code,
    number: Annotated[str, typer.Argument(metavar="确认码", help="测试消息中的六位数字")],
    by: Annotated[str, typer.Option("--by", help="确认人", metavar="姓名")] = "系统管理员",
    data_dir: DataDir = None,
) -> None:
    """填写测试消息中的确认码；确认后消息才会由此渠道发出。"""
    settings = settings_for(data_dir)
    config = _config(code, load_channels(settings.data_dir))
    with open_ledger(settings, create=False) as database, database.write() as session:
        right = channels.confirm(session, code, number, by=by, now=utc_now(settings), digest=config.digest)
    if not right:
        raise ActNotAllowed("确认码不对，请核对测试消息后重新填写")
    screen.print(f"渠道 {code} 已确认")


@app.command()
def withdraw(code: Code, data_dir: DataDir = None) -> None:
    """停用渠道：不再由它发送任何消息，直到重新测试并确认；待发的消息留在发件箱。"""
    with open_ledger(settings_for(data_dir), create=False) as database, database.write() as session:
        if code not in channels.standings(session):
            raise NotFound(f"渠道 {code} 没有测试或确认过，无需停用")
        channels.withdraw(session, [code])
    screen.print(f"渠道 {code} 已停用")


@app.command("messages")
def list_messages(
    state: Annotated[
        list[MessageState] | None, typer.Option("--state", help="状态（可写多次）；不写为未送达的", metavar="状态")
    ] = None,
    code: Annotated[str | None, typer.Option("--channel", help="只列这个渠道的", metavar="代码")] = None,
    limit: Annotated[int, typer.Option("--limit", help="最多列出的条数", min=1, max=200)] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """列出消息，最新的在前：没有发出的为什么没有发出，未能送达的是什么错误。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.read() as session:
        ways, hours = load_channels(settings.data_dir), LadderSettings.load().open_hours
        found = messages(
            session,
            now=utc_now(settings),
            ways=ways,
            hours=hours,
            states=state or UNSETTLED,
            channel=code,
            limit=limit,
        )
    rows = [_message(row) for row in found.rows]
    if as_json:
        return print_json([dict(zip(MESSAGE_COLUMNS, row, strict=True)) for row in rows])
    print_table(tuple(MESSAGE_COLUMNS.values()), rows)
    if found.cursor is not None:
        screen.print(f"只列出最近 {len(rows)} 条")


def _message(row: MessageRow) -> tuple[object, ...]:
    state = WAITING_NAMES[row.waiting] if row.waiting else MESSAGE_STATE_NAMES[row.state]
    to = row.recipient_name + (f" {row.person_name}" if row.person_name else "")
    return (
        row.id,
        row.channel,
        KINDS_OF_MESSAGE.get(row.kind, row.kind),
        to,
        state,
        row.attempts,
        row.error or row.answer,
    )


@app.command()
def resend(
    number: Annotated[int, typer.Argument(metavar="编号", help="见 lucheng channel messages", min=1)],
    by: Annotated[str, typer.Option("--by", help="经办人", metavar="姓名")] = "系统管理员",
    data_dir: DataDir = None,
) -> None:
    """把一条未能送达或不能确定是否送达的消息重新列入待发。"""
    settings = settings_for(data_dir)
    with open_ledger(settings, create=False) as database, database.write() as session:
        outbox.resend(session, number, by=by, now=utc_now(settings))
    screen.print(f"消息 {number} 已重新列入待发")


def _config(code: str, found: dict[str, ChannelConfig]) -> ChannelConfig:
    if code not in found:
        raise NotFound(f"没有名为 {code[:40]} 的渠道，已配置：{'、'.join(found)}")
    return found[code]
