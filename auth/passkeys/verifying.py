"""What a device sent, checked: for a new passkey, and for a sign-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import AttestationFormat, AuthenticationCredential

from auth.passkeys.challenges import Challenge
from auth.passkeys.relying_party import RelyingParty
from web.errors import Invalid

# Every device knows one of these.
ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
# Nobody is asked to show who made their device; one that vouches for itself alone may still say so.
_FORMATS = (AttestationFormat.NONE, AttestationFormat.PACKED)
_MOST_CHARACTERS = 16_384
_LONGEST_ID_BYTES = 1023
_LONGEST_KEY_BYTES = 2048
_REFUSED = "This could not be taken for a passkey of this site. Nothing was changed: please try once more."


class NewCredential(NamedTuple):
    """What a device has made."""

    credential_id: str
    public_key: bytes
    sign_count: int
    transports: str


class Answer(NamedTuple):
    """What a device answers to a challenge, read but not checked yet."""

    credential_id: str
    user_handle: str
    credential: AuthenticationCredential


def verify_new(text: str, challenge: Challenge, party: RelyingParty) -> NewCredential:
    """What a device sent for a new passkey. Raises Invalid for whatever is wrong with it."""
    with _refusing():
        _check_length(text)
        credential = parse_registration_credential_json(text)
        _check_origin(credential.response.client_data_json)
        if parse_attestation_object(credential.response.attestation_object).fmt not in _FORMATS:
            raise ValueError("An attestation that nobody asked for.")
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge.nonce),
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
        key = verified.credential_public_key
        if len(verified.credential_id) > _LONGEST_ID_BYTES or len(key) > _LONGEST_KEY_BYTES:
            raise ValueError("Larger than any device makes them.")
        if verified.credential_id != credential.raw_id:
            raise ValueError("Two ids for one passkey.")
        # Stored unread, a key that is none would be found out at the first sign-in.
        decoded_public_key_to_cryptography(decode_credential_public_key(key))
        transports = sorted({transport.value for transport in credential.response.transports or []})
        return NewCredential(bytes_to_base64url(verified.credential_id), key, verified.sign_count, " ".join(transports))


def read_answer(text: str) -> Answer:
    """What a device sent for a sign-in. Raises Invalid."""
    with _refusing():
        _check_length(text)
        credential = parse_authentication_credential_json(text)
        handle = credential.response.user_handle
        if handle is None:
            raise ValueError("Only what a device finds by itself names its person.")
        return Answer(bytes_to_base64url(credential.raw_id), bytes_to_base64url(handle), credential)


def verify_answer(
    answer: Answer, challenge: Challenge, party: RelyingParty, *, public_key: bytes, sign_count: int
) -> int:
    """How often the passkey was used by now, as its device says.

    Raises Invalid for whatever is wrong, also for a count that has not grown: there may be a second device with the
    same key.
    """
    with _refusing():
        _check_origin(answer.credential.response.client_data_json)
        verified = verify_authentication_response(
            credential=answer.credential,
            expected_challenge=base64url_to_bytes(challenge.nonce),
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
        return verified.new_sign_count


def _check_length(text: str) -> None:
    if len(text) > _MOST_CHARACTERS:
        raise ValueError("Longer than any device answers.")


def _check_origin(client_data: bytes) -> None:
    if parse_client_data_json(client_data).cross_origin:
        raise ValueError("Asked for by a page within another site's.")


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever goes wrong in reading what came from outside is that thing's fault."""
    try:
        yield
    except Exception as fault:
        raise Invalid({"credential": _REFUSED}) from fault
