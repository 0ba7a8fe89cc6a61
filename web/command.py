"""How commands refuse: exit status 1 with a sentence on standard error; wrong usage is 2, which is click's own."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from storage.errors import Busy, Damaged, FolderUnusable, Full, SchemaNewer
from web.errors import Invalid, Refusal
from web.settings import SettingsError

P = ParamSpec("P")
R = TypeVar("R")


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Turn a refusal into its sentence."""

    @wraps(command)
    def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Invalid as refusal:
            raise click.ClickException(" ".join(refusal.fields.values())) from refusal
        except Refusal as refusal:
            raise click.ClickException(refusal.detail or refusal.title) from refusal
        except (Busy, Damaged, Full, FolderUnusable, SchemaNewer, SettingsError) as refusal:
            raise click.ClickException(str(refusal)) from refusal

    return spoken


def open_site(context: click.Context) -> None:
    """Open the database for the command's time; `app.py` has put the way to do so into the context."""
    try:
        context.with_resource(context.obj().app_context())
    except (Busy, Damaged, Full, FolderUnusable, SchemaNewer, SettingsError) as refusal:
        raise click.ClickException(str(refusal)) from refusal
