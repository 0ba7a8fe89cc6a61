"""The commands about people and tokens."""

import sys
from collections.abc import Sequence

import click
from flask import current_app
from rich.console import Console
from rich.table import Table

from auth.blocking import blocking
from auth.factors.changing import remove_factors
from auth.invitations import inviting
from auth.leaving.leaving import finish_leaving, leave
from auth.passkeys.own import remove_passkeys
from auth.permissions import Role, Scope
from auth.sessions.roles import give_role
from auth.signin.signing_in import set_password
from auth.signin.throttling import let_in
from auth.tokens import issuing
from auth.tokens.queries import list_tokens
from auth.users import roles
from auth.users.links import current_links
from auth.users.queries import list_users
from auth.users.registering import normalise_username, prepare_password, register
from auth.users.writings import current_writings
from eventlog.actors import command_line
from storage import clock
from web.command import open_site, sentences
from web.database import current_database, reading, transaction
from web.signing import current_keys
from web.site.model import Registration
from web.site.queries import read_site

_ROLES = click.Choice([role.value for role in Role])
_SCOPES = click.Choice([scope.value for scope in Scope])


@click.group()
@click.pass_context
def user(context: click.Context) -> None:
    """People: add, invite, list, block, unblock, password, role, delete."""
    open_site(context)


@user.command("add")
@click.argument("name")
@click.option("--role", type=_ROLES, required=True, help="What the person may do.")
@sentences
def add_user(name: str, role: str) -> None:
    """Add a person; their password is asked for, or read from standard input."""
    name = normalise_username(name)
    password_hash = prepare_password(_ask_password(name), words=_names(name))
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
@click.option("--hide-posts/--show-posts", "hidden", default=None, help="What readers find of theirs; may be changed.")
@sentences
def block_user(name: str, reason: str, hidden: bool | None) -> None:
    """Block a person, from their next request on."""
    hide = current_writings().hide
    with transaction() as db:
        by = command_line()
        blocking.block(db, name, reason=reason, by=by, links=current_links())
        if hidden is not None:
            blocking.set_hidden(db, name, hidden, by=by, hide=hide)
    click.echo(f"Blocked {name}." if not hidden else f"Blocked {name} and hid what they have written.")


@user.command("unblock")
@click.argument("name")
@sentences
def unblock_user(name: str) -> None:
    """Lift a block."""
    with transaction() as db:
        blocking.unblock(db, name, by=command_line(), hide=current_writings().hide)
    click.echo(f"Unblocked {name}.")


@user.command("delete")
@click.argument("name")
@click.option("--posts", type=click.Choice(["delete"]), help="What becomes of their posts, series and pictures.")
@click.option("--posts-to", metavar="NAME", help="Whose they become.")
@sentences
def delete_user(name: str, posts: str | None, posts_to: str | None) -> None:
    """Delete an account: private data are erased, posts deleted or given to somebody."""
    if (posts is None) == (posts_to is None):
        raise click.UsageError("Say --posts delete, or --posts-to NAME.")
    database, writings = current_database(), current_writings()
    with transaction() as db:
        to = None if posts_to is None else roles.find_person(db, posts_to).username
        rest = leave(db, name, to=to, by=command_line(), writings=writings)
    # A job does the same where a server is running; nobody has to wait for one.
    while finish_leaving(database, rest, writings=writings) is not None:
        pass
    fate = f"is {posts_to}'s now" if posts_to else "is deleted"
    click.echo(f"Deleted the account of {rest['username']}; what they had written {fate}.")


@user.command("password")
@click.argument("name")
@click.option(
    "--remove-second-factor", is_flag=True, help="Also take away codes from an app, recovery codes and passkeys."
)
@sentences
def set_user_password(name: str, remove_second_factor: bool) -> None:
    """Set a person's password, end their sessions, and lift what keeps them from signing in."""
    with reading() as db:
        person = roles.find_person(db, name)
    password = _ask_password(person.username)
    password_hash = prepare_password(password, words=_names(person.username, person.display_name))
    with transaction() as db:
        # Anew: whoever has left or was blocked meanwhile.
        by, person = command_line(), roles.find_person(db, person.username)
        set_password(db, person, password_hash=password_hash, by=by)
        let_in(db, current_keys(), username=person.username)
        if remove_second_factor:
            remove_factors(db, person, by=by)
            remove_passkeys(db, person, by=by)
    also = ", removed their second factor, recovery codes and passkeys" if remove_second_factor else ""
    click.echo(f"Set the password of {person.username}{also} and ended their sessions.")
    if person.is_blocked:
        click.echo(f"{person.username} is blocked, and cannot sign in before `byline user unblock {person.username}`.")


@user.command("role")
@click.argument("name")
@click.argument("role", type=_ROLES)
@sentences
def set_user_role(name: str, role: str) -> None:
    """Give a person another role and end their sessions."""
    with transaction() as db:
        give_role(db, name, Role(role), by=command_line(), links=current_links())
    click.echo(f"{name} is {role} now.")


@user.command("invite")
@click.option("--role", type=_ROLES, required=True, help="What they become.")
@click.option("--days", type=int, default=7, show_default=True, help="How long it is good.")
@click.option("--uses", type=int, default=1, show_default=True, help="For how many people.")
@click.option("--note", default="", help="Whom it is for, in your words.")
@sentences
def invite_people(role: str, days: int, uses: int, note: str) -> None:
    """Make an invitation and print its link, this once."""
    with transaction() as db:
        made = inviting.invite(db, role=role, days=days, uses=uses, note=note, by=command_line())
        is_closed = read_site(db).registration == Registration.CLOSED
    if is_closed:
        click.echo("It lets nobody in yet: the settings of the site say that nobody makes an account.", err=True)
    click.echo(current_app.extensions["settings"].base_url + made.path)


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


def _names(*of_person: str) -> tuple[str, ...]:
    """What a password shall not be made of: the names of its person, and of the site."""
    with reading() as db:
        return (*of_person, read_site(db).name)


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
