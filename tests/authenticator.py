"""An authenticator made of software: it keeps passkeys and answers challenges as a device would, or as a forger would.

Written from the WebAuthn and CTAP specifications, and with nothing of the library that the site checks it with.
"""

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


def to_text(raw: bytes) -> str:
    """Base 64 for URLs, without padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def to_bytes(text: str) -> bytes:
    """The other way."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Passkey:
    """A key pair, and for whom it was made."""

    host: str
    user_handle: bytes
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sign_count: int = 0

    @property
    def cose_key(self) -> bytes:
        """The public key: ES256 (RFC 9053)."""
        point = self.private_key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})


@dataclass
class Authenticator:
    """A device. What it is told to do otherwise than the specification says stands in the arguments."""

    origin: str = "http://localhost"
    flags: int = PRESENT | VERIFIED
    counts: bool = False  # whether it counts how often each passkey was used
    passkeys: list[Passkey] = field(default_factory=list)

    def create(self, options: dict[str, Any], **otherwise: Any) -> str:
        """A new passkey, and the JSON that the page's script makes of it."""
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert {"type": "public-key", "alg": -7} in options["pubKeyCredParams"]
        known = {to_bytes(each["id"]) for each in options["excludeCredentials"]}
        assert known.isdisjoint(each.credential_id for each in self.passkeys)
        made = Passkey(options["rp"]["id"], to_bytes(options["user"]["id"]))
        self.passkeys.append(made)
        return self.attest(made, options["challenge"], **otherwise)

    def attest(
        self,
        passkey: Passkey,
        challenge: str,
        /,
        *,
        kind: str = "webauthn.create",
        origin: str | None = None,
        flags: int | None = None,
        host: str | None = None,
        attestation: dict[str, Any] | None = None,
        cose_key: bytes | None = None,
        **more: Any,
    ) -> str:
        """Show a passkey that is there as a new one."""
        credential = struct.pack(">16sH", bytes(16), len(passkey.credential_id)) + passkey.credential_id
        data = self._data(passkey, host, (self.flags if flags is None else flags) | HAS_CREDENTIAL)
        whole = data + credential + (passkey.cose_key if cose_key is None else cose_key)
        attested = {"fmt": "none", "attStmt": {}, "authData": whole} | (attestation or {})
        response = {
            "clientDataJSON": to_text(self._client_data(kind, challenge, origin, more)),
            "attestationObject": to_text(cbor2.dumps(attested)),
            "transports": ["internal", "hybrid", "telepathy"],
        }
        return self._json(passkey, response)

    def get(
        self,
        options: dict[str, Any],
        *,
        passkey: Passkey | None = None,
        kind: str = "webauthn.get",
        origin: str | None = None,
        flags: int | None = None,
        host: str | None = None,
        user_handle: bytes | None = None,
        signature: bytes | None = None,
        sign_count: int | None = None,
        **more: Any,
    ) -> str:
        """The answer to a challenge, with the newest passkey that fits."""
        assert options["userVerification"] == "required"
        assert options["allowCredentials"] == []
        used = passkey or [each for each in self.passkeys if each.host == options["rpId"]][-1]
        if self.counts:
            used.sign_count += 1
        if sign_count is not None:
            used.sign_count = sign_count
        data = self._data(used, host, self.flags if flags is None else flags)
        client_data = self._client_data(kind, options["challenge"], origin, more)
        signed = used.private_key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": to_text(client_data),
            "authenticatorData": to_text(data),
            "signature": to_text(signed if signature is None else signature),
            "userHandle": to_text(used.user_handle if user_handle is None else user_handle),
        }
        return self._json(used, response)

    def _data(self, passkey: Passkey, host: str | None, flags: int) -> bytes:
        name = hashlib.sha256((host or passkey.host).encode()).digest()
        return name + struct.pack(">BI", flags, passkey.sign_count)

    def _client_data(self, kind: str, challenge: str, origin: str | None, more: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": origin or self.origin, "crossOrigin": False}
        return json.dumps(said | more).encode()

    @staticmethod
    def _json(passkey: Passkey, response: dict[str, Any]) -> str:
        name = to_text(passkey.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
