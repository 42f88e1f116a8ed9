"""Roles in words, as pages and lists say them. Pure."""

from __future__ import annotations

from ledger.queries.accounts import GrantRow
from policy_models.access import ROLE_NAMES, Role

EVERYWHERE = "全部单位"
# What each role lets somebody do, in a line.
ROLE_NOTES = {
    Role.ADMINISTRATOR: "管理账号、人员、日历和渠道，查看操作记录；不办理业务",
    Role.COORDINATOR: "统筹报送、汇编、案例和通报，审核并催办",
    Role.REVIEWER: "审核下级报送，同意延期，催办",
    Role.LIAISON: "为本单位和下级报送，维护本单位人员",
    Role.AUDITOR: "查看全部内容和操作记录，不作任何更改",
}


def grant_words(one: GrantRow) -> str:
    """``联络员 · 昆都仑区民政局及下级``."""
    return f"{ROLE_NAMES[one.role]} · {one.unit_name or EVERYWHERE}"
