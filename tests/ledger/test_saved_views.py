"""常用视图: one account's own, by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger import accounts, saved_views
from ledger.database import Database
from ledger.saved_views import LONGEST_NAME, LONGEST_QUERY, MOST, SavedView
from policy_models.errors import ActNotAllowed, Faulty, NotFound
from tests.factories import instant, opened

NOW = instant("2025-02-07")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


def test_kept_overwritten_renamed_and_taken_away(database: Database) -> None:
    with database.write() as session:
        me, other = (accounts.create_account(session, name, name, NOW) for name in ("zhang", "li"))
        saved_views.save_view(session, me, "register", "  本县  逾期 ", "light=red", NOW)
        saved_views.save_view(session, me, "register", "教育", "section=task-2", NOW)
        saved_views.save_view(session, me, "register", "本县 逾期", "light=orange&light=red", NOW)
        saved_views.save_view(session, other, "register", "教育", "", NOW)
        first, second = saved_views.saved_views(session, me, "register")
        assert [(one.name, one.query) for one in (first, second)] == [
            ("本县 逾期", "light=orange&light=red"),
            ("教育", "section=task-2"),
        ]
        with pytest.raises(Faulty, match="已有名为“教育”的常用视图"):
            saved_views.rename_view(session, me, first.id, "教育")
        saved_views.rename_view(session, me, first.id, "逾期")
        saved_views.rename_view(session, me, first.id, "逾期")  # to its own name
        for act in (
            lambda: saved_views.rename_view(session, other, first.id, "我的"),
            lambda: saved_views.remove_view(session, other, first.id),
        ):
            with pytest.raises(NotFound, match="没有这个常用视图"):
                act()
        assert saved_views.remove_view(session, me, first.id) == SavedView(first.id, "逾期", "light=orange&light=red")
        assert saved_views.saved_views(session, me, "register") == (second,)
        assert saved_views.saved_views(session, me, "items") == ()
        assert [one.name for one in saved_views.saved_views(session, other, "register")] == ["教育"]
        with pytest.raises(NotFound):
            saved_views.remove_view(session, me, first.id)


def test_bad_names_overlong_filters_and_too_many(database: Database) -> None:
    with database.write() as session:
        me = accounts.create_account(session, "zhang", "张", NOW)
        for name in ("", "   ", "\u3000", "长" * (LONGEST_NAME + 1)):
            with pytest.raises(Faulty, match="名称"):
                saved_views.save_view(session, me, "register", name, "", NOW)
        with pytest.raises(Faulty, match="筛选条件过长"):
            saved_views.save_view(session, me, "register", "长", "x" * (LONGEST_QUERY + 1), NOW)
        for number in range(MOST):
            saved_views.save_view(session, me, "register", f"视图{number}", "", NOW)
        with pytest.raises(ActNotAllowed, match=f"最多保存{MOST}个"):
            saved_views.save_view(session, me, "register", "再一个", "", NOW)
        saved_views.save_view(session, me, "register", "视图0", "light=red", NOW)  # one that is there may change
        assert len(saved_views.saved_views(session, me, "register")) == MOST
