"""What a page says to the browser when it offers a passkey: the options of WebAuthn, and the signed challenge."""

from dataclasses import dataclass

from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from auth.passkeys.challenges import GOOD_FOR, Purpose, make_challenge, sign_challenge
from auth.passkeys.model import Passkey
from auth.passkeys.own import handle_of, opens
from auth.passkeys.relying_party import NotOffered, RelyingParty
from auth.passkeys.verifying import ALGORITHMS
from auth.principal import Principal
from storage import clock
from web.signing import Keys

_TIMEOUT = GOOD_FOR * 1000 // clock.SECOND  # milliseconds


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page carries; without options there is only a reason."""

    challenge: str = ""
    options: str = ""  # JSON
    reason: str = ""


def offer_sign_in(keys: Keys, party: RelyingParty | NotOffered, *, browser: str) -> Offer:
    """For whoever has a passkey: the device knows whose it is."""
    if isinstance(party, NotOffered):
        return Offer(reason=party.reason)
    challenge = make_challenge()
    options = generate_authentication_options(
        rp_id=party.host,
        challenge=base64url_to_bytes(challenge.nonce),
        timeout=_TIMEOUT,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return Offer(sign_challenge(keys, Purpose.SIGN_IN, challenge, browser=browser), options_to_json(options))


def offer_new(
    keys: Keys,
    party: RelyingParty | NotOffered,
    *,
    browser: str,
    by: Principal,
    passkeys: list[Passkey],
    site_name: str,
) -> Offer:
    """For a person's next passkey, on a device that has none of theirs yet."""
    if isinstance(party, NotOffered):
        return Offer(reason=party.reason)
    challenge = make_challenge(handle_of(keys, passkeys, by=by))
    options = generate_registration_options(
        rp_id=party.host,
        rp_name=site_name,
        user_id=base64url_to_bytes(challenge.user_handle),
        user_name=by.username,
        user_display_name=by.display_name or by.username,
        challenge=base64url_to_bytes(challenge.nonce),
        timeout=_TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_described(passkey) for passkey in passkeys if opens(passkey, party.host)],
        supported_pub_key_algs=ALGORITHMS,
    )
    return Offer(sign_challenge(keys, Purpose.ADD, challenge, browser=browser), options_to_json(options))


def _described(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    known = {transport.value: transport for transport in AuthenticatorTransport}
    transports = [known[word] for word in passkey.transports.split() if word in known]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential_id), transports=transports)
