"""已办: what a page says was just done. A redirect carries a word of this list (``?told=sent``), never a sentence, so that
nobody can put words of their own on a page by a link."""

from __future__ import annotations

TOLD = {
    "password-changed": "密码已更改，其他登录已全部退出",
    "session-ended": "这个登录已结束",
    "sessions-ended": "登录已结束",
    "totp-off": "动态码已关闭",
    "role-given": "已给予角色，立即生效",
    "role-taken": "已收回角色，立即生效",
    "account-off": "账号已停用，登录全部结束",
    "account-on": "账号已恢复",
    "account-unlocked": "已解除暂停，可以登录",
    "account-unlinked": "已解除与统一身份认证的关联",
    "submitted": "已报送，等待审核",
    "report-submitted": "报告已报送，等待审核",
    "withdrawn": "已撤回，材料已回到草稿",
    "saved": "已保存",
    "view-saved": "已保存为常用视图",
    "view-renamed": "已改名",
    "view-removed": "已删除常用视图",
}


def told(word: str) -> str:
    """The sentence of a word; "" for one that is none."""
    return TOLD.get(word, "")
