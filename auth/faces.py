"""What auth shows: its pages and API, the forms that travel through a sign-in, and its words in the description."""

from flask import Blueprint

from auth.blocking.pages import pages as people_pages
from auth.factors.pages import make_pages as make_factor_pages
from auth.factors.pages import reopen_enable
from auth.invitations import join_pages
from auth.invitations.pages import pages as invitation_pages
from auth.invitations.pages import reopen_invitation
from auth.leaving.pages import pages as leaving_pages
from auth.leaving.pages import reopen_other, reopen_own
from auth.sessions import description as sessions_description
from auth.sessions.api import api as sessions_api
from auth.sessions.ending import end_sessions_of
from auth.sessions.pages import pages as own_sessions_pages
from auth.signin.pages import pages as signin_pages
from auth.signin.passkey_pages import pages as passkey_pages
from auth.signin.passkey_pages import reopen_passkey
from auth.signin.reopening import Reopen
from auth.signin.reset_pages import pages as reset_pages
from auth.signin.reset_pages import reopen_reset_link
from auth.signin.throttling import count_registration
from auth.tokens import description as tokens_description
from auth.tokens.api import api as tokens_api
from auth.tokens.pages import pages as token_pages
from auth.tokens.pages import reopen_token
from auth.users.pages import pages as profile_pages
from auth.users.pages import reopen_profile

DESCRIPTIONS = (sessions_description, tokens_description)

# How the form that an endpoint takes is opened again.
REOPENERS: dict[str, Reopen] = {
    "profile.save_profile": reopen_profile,
    "leaving.delete_own": reopen_own,
    "leaving.delete_other": reopen_other,
    "token_pages.make_token": reopen_token,
    "invitation_pages.make_invitation": reopen_invitation,
    "reset_pages.make_link": reopen_reset_link,
    "factors.enable": reopen_enable,
    "passkey_pages.add": reopen_passkey,
}


def make_faces() -> list[Blueprint]:
    """The routes, for one application."""
    return [
        signin_pages,
        reset_pages,
        people_pages,
        invitation_pages,
        join_pages.make_pages(count_registration),
        profile_pages,
        leaving_pages,
        sessions_api,
        tokens_api,
        token_pages,
        passkey_pages,
        own_sessions_pages,
        make_factor_pages(end_sessions_of),
    ]
