"""Codes from an app (RFC 6238): six digits, a new one every 30 seconds, HMAC-SHA-1, which is what every app knows."""

import hmac

import pyotp
import segno

from storage import clock

_DIGITS = 6
_STEP = 30 * clock.SECOND
# A clock may be half a minute off, or the code be typed slowly.
_DRIFT_STEPS = 1
_LONGEST_ISSUER = 30


def new_secret() -> str:
    """160 random bits, in base 32."""
    return pyotp.random_base32()


def find_step(secret: str, code: str, *, at: int, after: int) -> int | None:
    """Which step's code it is, of those that are near the moment `at` and later than the step `after`; else None."""
    now = at // _STEP
    found = None
    if len(code) == _DIGITS and code.isascii():
        maker = pyotp.TOTP(secret, digits=_DIGITS)
        for step in range(now - _DRIFT_STEPS, now + _DRIFT_STEPS + 1):
            if hmac.compare_digest(maker.generate_otp(step), code) and step > after and found is None:
                found = step
    return found


def address_for_app(secret: str, *, site_name: str, username: str) -> str:
    """The `otpauth:` address that an app reads; it shows both names beside its codes."""
    # What stands before a colon is taken for the name of the site. A long one makes the picture too fine for a phone.
    issuer = site_name.replace(":", " ").strip()[:_LONGEST_ISSUER]
    return pyotp.TOTP(secret, digits=_DIGITS).provisioning_uri(name=username, issuer_name=issuer or None)


def draw(address: str) -> str:
    """The QR code of an address, as SVG that stands in a page: dark on light, in every set of colours."""
    code = segno.make(address, error="m", micro=False)
    return code.svg_inline(border=4, light="#fff", omitsize=True, svgclass=None, lineclass=None)


def in_groups(secret: str) -> str:
    """The secret as a person types it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
