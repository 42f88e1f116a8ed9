"""The command ``lucheng``: every expected error is one clear sentence on standard error and exit code 1."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from lucheng.cli import (
    account,
    calendar,
    channel,
    circular,
    db,
    demo,
    doctor,
    feed,
    mail,
    people,
    plan,
    report,
    rounds,
    token,
    units,
    up,
    web,
)
from lucheng.wrong_settings import SETTINGS, wrong_setting
from policy_models.errors import LuchengError

app = typer.Typer(
    name="lucheng",
    help="鹿程：把行动方案变成落实到位的工作",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
for name, group in (
    ("plan", plan),
    ("units", units),
    ("round", rounds),
    ("report", report),
    ("calendar", calendar),
    ("circular", circular),
    ("feed", feed),
    ("people", people),
    ("account", account),
    ("token", token),
    ("mail", mail),
    ("channel", channel),
    ("db", db),
):
    app.add_typer(group.app, name=name)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("web", hidden=True)(web.web)


def main() -> None:
    """Run the command line. Exit code 1 for an expected error, 2 for wrong usage, 130 for Ctrl-C."""
    try:
        app()
    except LuchengError as error:
        sys.exit(_say(str(error)))
    except ValidationError as error:
        if error.title not in SETTINGS:
            raise
        sys.exit(_say(wrong_setting(error)))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _say(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 1


if __name__ == "__main__":
    main()
