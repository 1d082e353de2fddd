"""Who ERPNext takes us for: the cheapest question that proves URL, key and secret."""

from __future__ import annotations

import httpx

from cpe.access.http import translated
from cpe.domain.errors import BusyError, LoginRefusedError, UnexpectedAnswerError
from cpe.domain.redaction import excerpt, redact

SYSTEM = "erp"


async def whoami(url: str, api_key: str, api_secret: str, *, timeout_s: float) -> str:
    """The user behind the API key. Raises AccessError; 401 and 403 are LoginRefusedError."""
    target = redact(url)
    headers = {
        "Authorization": f"token {api_key.strip()}:{api_secret.strip()}",
        "Accept": "application/json",
    }
    with translated(SYSTEM, target):
        async with httpx.AsyncClient(timeout=timeout_s, headers=headers) as client:
            path = "/api/method/frappe.auth.get_logged_user"
            answer = await client.get(f"{url.rstrip('/')}{path}")
    if answer.status_code in {401, 403}:
        raise LoginRefusedError(f"HTTP {answer.status_code}", system=SYSTEM, target=target)
    if answer.status_code == 429 or answer.status_code >= 500:
        raise BusyError(f"HTTP {answer.status_code}", system=SYSTEM, target=target)
    try:
        user = answer.json()["message"]
    except (ValueError, KeyError, TypeError) as error:
        what = f"HTTP {answer.status_code}: {excerpt(answer.text)}"
        raise UnexpectedAnswerError(what, system=SYSTEM, target=target) from error
    return str(user)
