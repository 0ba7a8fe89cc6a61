"""Secrets that are known by how they look, wherever they stand: their issuers gave them a prefix for this."""

from eventlog.redaction.patterns import Pattern, pattern

# Private keys: RFC 7468 (PEM), OpenSSH's PROTOCOL.key, RFC 9580 (OpenPGP), RFC 4716 (four dashes and a space). From
# the first line to the last, or to the end of a text that was cut off. Whoever only writes about keys names the first
# line and has nothing like a key after it.
_LABEL = r"[ ](?:[A-Z0-9]{1,12}[ ]){0,3}PRIVATE[ ]KEY(?:[ ]BLOCK)?[ ]?-{4,5}"
_KEY_BLOCK = rf"-{{4,5}}[ ]?BEGIN{_LABEL}(?=(?:(?!-END|[ ]END)[\s\S]){{0,300}}?[A-Za-z0-9+/]{{20}})[\s\S]*?(?:-{{4,5}}[ ]?END{_LABEL}|\Z)"

PATTERNS: tuple[Pattern, ...] = (
    pattern("private-key", _KEY_BLOCK),
    pattern("age-key", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    # Ours: tokens; sessions, of which `epoch.counter` may be shown; links, whose tokens have capitals as no slug has.
    pattern("byline-token", r"byl_[\w-]{20,}"),
    pattern("byline-session", r"(?<![\d.])\d{1,20}\.\d{1,20}\.(?P<secret>[\w-]{24,}+(?:\.[\w-]++)*)"),
    pattern("byline-link", r"/(?:setup|join|reset|preview)/(?P<secret>(?=[\w-]{0,60}[A-Z])[\w-]{20,})"),
    # RFC 7515 and 7516: base64url of a JSON object begins with `eyJ`.
    pattern("jwt", r"(?<![A-Za-z0-9])eyJ[\w-]{8,}(?:\.eyJ[\w-]{4,}(?:\.[\w-]*){0,3}|(?:\.[\w-]*){2,4})"),
    pattern("aws-secret", r"(?:AKIA|ASIA)[A-Z0-9]{16}[^\w]{1,20}(?P<secret>[A-Za-z0-9/+]{40})(?![\w/+])"),
    pattern("aws-key-id", r"(?<![A-Z0-9])(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])"),
    pattern("github-token", r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}"),
    pattern("gitlab-token", r"gl(?:pat|ptt|dt|ft|rt|soat|cbt|imt|agent|oas)-[\w-]{20,}"),
    pattern("slack-token", r"xox[a-z](?:\.xox[a-z])?-[\w-]{10,}|xapp-\d-[\w-]{10,}"),
    pattern("slack-token", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[\w/]{20,})"),
    pattern("stripe-key", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{20,}"),
    pattern("google-key", r"AIza[\w-]{30,}|GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,}|(?<!\d)1//0[\w-]{20,}"),
    pattern("anthropic-key", r"sk-ant-[\w-]{20,}"),
    # OpenAI's and those of services that speak like it. Slugs begin like it too, and have no capitals.
    pattern("openai-key", r"(?<![A-Za-z0-9])sk-(?=[\w-]{0,200}\d)(?=[\w-]{0,200}(?:[A-Z]|[0-9a-f]{32}))[\w-]{20,}"),
    pattern("npm-token", r"npm_[A-Za-z0-9]{30,}"),
    pattern("pypi-token", r"pypi-[\w-]{50,}"),
    pattern("hugging-face-token", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}"),
    pattern("telegram-token", r"(?<!\d)\d{8,10}:(?P<secret>AA[\w-]{33})"),
    pattern("vault-token", r"(?<![A-Za-z0-9])hv[sbr]\.[\w-]{24,}"),
    pattern("sendgrid-key", r"(?<![A-Za-z0-9])SG\.[\w-]{16,}\.[\w-]{16,}"),
    pattern("docker-token", r"dckr_(?:pat|oat)_[\w-]{20,}"),
    pattern("digitalocean-token", r"do[opr]_v1_[0-9a-f]{64}"),
)
