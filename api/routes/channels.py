"""消息渠道: how each channel stands, its test message, the number that confirms it. For the plan's coordinator; never
shows an address of a channel or a secret. Settings are changed in the channels file alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator, ValidationError

from api.dependencies import Deployed, Ledger, Now, PlanCode, UnitCode, acting, printable
from api.desk import coordinator_only, present
from api.guard import Guarded
from api.pages import address, plan_page
from ledger import channels, plans
from ledger.acts import Actor
from ledger.channels import ChannelStanding
from ledger.database import Database, Session
from ledger.queries.messages import unsettled_by_channel
from ledger.queries.units import unit_row
from ledger.settings import LadderSettings, Settings
from notifications.channel_config import ChannelConfig
from notifications.channel_file import channels_file, load_channels, open_to_others
from notifications.channels import deliver
from notifications.trial import new_number, trial_address, trial_letter
from policy_models.channels import KINDS, ChannelKind
from policy_models.delivery import CHANNEL_STATE_NAMES, ChannelState, MessageState
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, DeliveryError, Faulty, NotFound
from policy_models.timing import Light

router = APIRouter(route_class=Guarded, include_in_schema=False)
COORDINATOR_ONLY = "消息渠道由统筹单位管理，其他单位不能查看"
ChannelCode = Annotated[str, BeforeValidator(printable), Path(max_length=40)]
Short = Annotated[str, Form(max_length=254)]
Name = Annotated[str, BeforeValidator(printable), Form(max_length=40)]
EXPECTED = (ActNotAllowed, ChangedMeanwhile, DeliveryError, Faulty)
TOLD = {
    "test": "测试消息已发出，请到收到消息的群或邮箱核对，并填写其中的确认码",
    "confirm": "渠道已确认，消息将由此发出",
    "withdraw": "渠道已停用，待发的消息留在发件箱",
}
LIGHTS = {
    ChannelState.ALWAYS: Light.GREEN,
    ChannelState.CONFIRMED: Light.GREEN,
    ChannelState.AWAITS: Light.YELLOW,
    ChannelState.LIMITED: Light.YELLOW,
    ChannelState.CHANGED: Light.ORANGE,
    ChannelState.DOWN: Light.ORANGE,
}


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as the page shows it. ``leaves``: there is something to test; ``addressed``: the test needs to know
    where to; ``waiting``, ``dead``, ``uncertain``: messages that have not gone out by it, or perhaps not."""

    code: str
    kind: str
    name: str
    state: ChannelState
    light: Light
    leaves: bool
    addressed: bool
    standing: ChannelStanding | None
    waiting: int
    dead: int
    uncertain: int


def channels_path(code: str) -> str:
    return f"/units/{quote(code, safe='-')}/channels"


@router.get("/units/{code}/channels")
def show_channels(
    database: Ledger,
    deployed: Deployed,
    now: Now,
    code: UnitCode,
    told: Annotated[str, Query(max_length=20)] = "",
    plan: PlanCode = None,
) -> Response:
    return _page(database, deployed, plan, now, code, told=TOLD.get(told, ""))


@router.post("/units/{code}/channels/{channel}/test")
def send_test(
    database: Ledger,
    deployed: Deployed,
    now: Now,
    code: UnitCode,
    channel: ChannelCode,
    to: Short = "",
    by_name: Name = "",
    plan: PlanCode = None,
) -> Response:
    """Send the test message, between two transactions. What was confirmed before is no longer."""

    def act(_by: Actor) -> None:
        config = _config(deployed, channel)
        number, where = new_number(), trial_address(config, to)
        deliver(config, trial_letter(config, number, now=now, address=where), now=now)
        with database.write() as session:
            listens = {"acts": config.acts, "units": config.units}
            channels.note_test(session, channel, config.kind.value, config.digest, number=number, now=now, **listens)

    return _answered(database, deployed, plan, now, code, channel, by_name, act, "test")


@router.post("/units/{code}/channels/{channel}/confirm")
def confirm(
    database: Ledger,
    deployed: Deployed,
    now: Now,
    code: UnitCode,
    channel: ChannelCode,
    number: Short = "",
    by_name: Name = "",
    plan: PlanCode = None,
) -> Response:
    def act(by: Actor) -> None:
        config = _config(deployed, channel)
        with database.write() as session:
            right = channels.confirm(session, channel, number, by=by.name, now=now, digest=config.digest)
        if not right:
            raise ActNotAllowed("确认码不对，请核对测试消息后重新填写")

    return _answered(database, deployed, plan, now, code, channel, by_name, act, "confirm")


@router.post("/units/{code}/channels/{channel}/withdraw")
def withdraw(
    database: Ledger,
    deployed: Deployed,
    now: Now,
    code: UnitCode,
    channel: ChannelCode,
    by_name: Name = "",
    plan: PlanCode = None,
) -> Response:
    def act(_by: Actor) -> None:
        with database.write() as session:
            if channel not in channels.standings(session):
                raise NotFound("这个渠道没有测试或确认过，无需停用")
            channels.withdraw(session, [channel])

    return _answered(database, deployed, plan, now, code, channel, by_name, act, "withdraw")


def _answered(
    database: Database,
    deployed: Settings,
    plan: str | None,
    now: datetime,
    code: str,
    channel: str,
    by_name: str,
    act: Callable[[Actor], None],
    told: str,
) -> Response:
    """Do the act outside any transaction and go back; where it is refused, the page again with the sentence."""
    with database.read() as session:
        coordinator_only(present(session, plan, now), code, COORDINATOR_ONLY)
        by = acting(session, now, code, by_name)
    try:
        act(by)
    except EXPECTED as error:
        status = 502 if isinstance(error, DeliveryError) else 409
        return _page(database, deployed, plan, now, code, fault=str(error), at=channel, status=status)
    return RedirectResponse(address(channels_path(code), told=told, plan=plan) + f"#{quote(channel)}", 303)


def _config(deployed: Settings, channel: str) -> ChannelConfig:
    """Raises NotFound, ActNotAllowed for a channel that stays on the machine, Faulty."""
    found = load_channels(deployed.data_dir).get(channel)
    if found is None:
        raise NotFound("没有这个渠道，可能已从渠道文件中删除")
    if not found.facts.leaves:
        raise ActNotAllowed("这个渠道不向外发送，无需测试")
    return found


def _page(
    database: Database,
    deployed: Settings,
    plan: str | None,
    now: datetime,
    code: str,
    *,
    told: str = "",
    fault: str = "",
    at: str = "",
    status: int = 200,
) -> Response:
    configs, wrong = configured(deployed)
    with database.read() as session:
        coordinator_only(present(session, plan, now), code, COORDINATOR_ONLY)
        reading = present(session, plan, now)
        context = {
            "here": "units",
            "unit": unit_row(session, code),
            "base": channels_path(code),
            "rows": channel_rows(session, configs, now),
            "state_words": CHANNEL_STATE_NAMES,
            "hours": LadderSettings.load().open_hours,
            "wrong": wrong,
            "open_file": open_to_others(channels_file(deployed.data_dir)),
            "told": told,
            "fault": fault,
            "at": at,
        }
        return plan_page("channels.html", reading, plans.plans(session), context, status=status)


def configured(deployed: Settings) -> tuple[Mapping[str, ChannelConfig], tuple[str, ...]]:
    """The channels, and what is wrong with their settings: one sentence each, by line, without any value."""
    try:
        return load_channels(deployed.data_dir), ()
    except Faulty as error:
        return {}, tuple(map(str, error.faults))
    except ValidationError as error:
        fields = "、".join(str(one["loc"][-1]) for one in error.errors() if one["loc"])
        return {}, (f"发信设置（LUCHENG_{fields.upper()}）有误",)


def channel_rows(session: Session, configs: Mapping[str, ChannelConfig], now: datetime) -> list[ChannelRow]:
    """Every channel that is configured, and those that are not any more but were tested or hold messages."""
    standings, unsettled = channels.standings(session), unsettled_by_channel(session)
    found = []
    for code in [*configs, *sorted((set(standings) | set(unsettled)) - set(configs))]:
        config, standing = configs.get(code), standings.get(code)
        kind = config.kind if config else ChannelKind(standing.kind) if standing else None
        counts = unsettled.get(code, {})
        state = channels.state_of(config, standing, now)
        found.append(
            ChannelRow(
                code,
                KINDS[kind].name if kind else "",
                (config.name if config else "") or code,
                state,
                LIGHTS.get(state, Light.GREY),
                bool(config and config.facts.leaves),
                bool(config and config.facts.addressed),
                standing,
                *(counts.get(one, 0) for one in (MessageState.PENDING, MessageState.DEAD, MessageState.UNCERTAIN)),
            )
        )
    return found
