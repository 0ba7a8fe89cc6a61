"""The commands about people and tokens."""

import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from auth.blocking import blocking
from auth.permissions import Role, Scope
from auth.sessions.roles import give_role
from auth.signin.signing_in import set_password
from auth.signin.throttling import let_in
from auth.tokens import issuing
from auth.tokens.queries import list_tokens
from auth.users import roles
from auth.users.queries import list_users
from auth.users.registering import normalise_username, prepare_password, register
from eventlog.actors import command_line
from storage import clock
from web.command import open_site, sentences
from web.database import reading, transaction
from web.signing import current_keys

_ROLES = click.Choice([role.value for role in Role])
_SCOPES = click.Choice([scope.value for scope in Scope])


@click.group()
@click.pass_context
def user(context: click.Context) -> None:
    """People: add, list, block, unblock, password, role."""
    open_site(context)


@user.command("add")
@click.argument("name")
@click.option("--role", type=_ROLES, required=True, help="What the person may do.")
@sentences
def add_user(name: str, role: str) -> None:
    """Add a person; their password is asked for, or read from standard input."""
    name = normalise_username(name)
    password_hash = prepare_password(_ask_password(name))
    with transaction() as db:
        register(db, name, role=Role(role), password_hash=password_hash, by=command_line())
    click.echo(f"Added {name} as {role}.")


@user.command("list")
@sentences
def list_people() -> None:
    """Everybody: name, role, block."""
    with reading() as db:
        people = list_users(db)
    rows = [(p.username, p.role.value, "blocked" if p.is_blocked else "", p.block_reason or "") for p in people]
    _print_table(("name", "role", "state", "reason"), rows)


@user.command("block")
@click.argument("name")
@click.option("--reason", default="", help="Seen by owners only.")
@sentences
def block_user(name: str, reason: str) -> None:
    """Block a person, from their next request on."""
    with transaction() as db:
        blocking.block(db, name, reason=reason, by=command_line())
    click.echo(f"Blocked {name}.")


@user.command("unblock")
@click.argument("name")
@sentences
def unblock_user(name: str) -> None:
    """Lift a block."""
    with transaction() as db:
        blocking.unblock(db, name, by=command_line())
    click.echo(f"Unblocked {name}.")


@user.command("password")
@click.argument("name")
@sentences
def set_user_password(name: str) -> None:
    """Set a person's password, end their sessions, and lift what keeps them from signing in."""
    with reading() as db:
        person = roles.find_person(db, name)
    password_hash = prepare_password(_ask_password(person.username))
    with transaction() as db:
        set_password(db, person, password_hash=password_hash, by=command_line())
        let_in(db, current_keys(), username=person.username)
    click.echo(f"Set the password of {person.username} and ended their sessions.")


@user.command("role")
@click.argument("name")
@click.argument("role", type=_ROLES)
@sentences
def set_user_role(name: str, role: str) -> None:
    """Give a person another role and end their sessions."""
    with transaction() as db:
        give_role(db, name, Role(role), by=command_line())
    click.echo(f"{name} is {role} now.")


@click.group()
@click.pass_context
def token(context: click.Context) -> None:
    """Bearer tokens: create, list, revoke."""
    open_site(context)


@token.command("create")
@click.argument("name")
@click.option("--scope", "scopes", type=_SCOPES, multiple=True, required=True, help="What it may be used for.")
@click.option("--label", default="", help="What it is for, in your words.")
@click.option("--days", type=click.IntRange(1, 36_500), help="How long it is good.")
@sentences
def create_token(name: str, scopes: tuple[str, ...], label: str, days: int | None) -> None:
    """Make a token for a person and print it, this once."""
    with transaction() as db:
        wanted = [Scope(scope) for scope in scopes]
        secret = issuing.issue(db, name, scopes=wanted, by=command_line(), label=label, days=days)
    click.echo(secret)


@token.command("list")
@click.argument("name", required=False)
@sentences
def list_all_tokens(name: str | None) -> None:
    """Everybody's tokens, or one person's; the id stands first."""
    with reading() as db:
        username = roles.find_person(db, name).username if name else None
        tokens = list_tokens(db, username=username)
    rows = [
        (
            t.id,
            t.username,
            " ".join(sorted(t.scopes)),
            clock.to_rfc3339(t.expires_at) if t.expires_at else "-",
            t.label,
            t.last_used_on or "-",
        )
        for t in tokens
    ]
    _print_table(("id", "name", "scopes", "expires", "label", "last used"), rows)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@sentences
def revoke_token(token_id: str) -> None:
    """End a token, from its next request on."""
    with transaction() as db:
        issuing.revoke(db, token_id, by=command_line())
    click.echo("Revoked.")


def _ask_password(name: str) -> str:
    """A secret is asked for on a terminal and read as one line otherwise; never an argument, which others can see."""
    if sys.stdin.isatty():
        return str(click.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _print_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table for people on a terminal; tab-separated lines for programs."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    table = Table(*headings)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
