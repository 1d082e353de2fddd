"""The modem's web server, one for all boxes: the host name says which (`100.64.0.9.localhost`)."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import web

from deployments.lab.modem.cipher import (
    GOLDEN_KEY,
    GOLDEN_N,
    EnvelopeError,
    SessionKey,
    Variant,
)
from deployments.lab.modem.objects import LISTS, SINGLE, rows_of
from deployments.lab.modem.state import PASSWORD, USER, AdminSession, ModemState, login_hash
from deployments.lab.parameters import Box
from deployments.lab.plant import Plant
from deployments.lab.truth import dice
from deployments.lab.web_server import cut_off

WEB: Final = Path(__file__).with_name("web")
SCRIPTS: Final = ("lib", "bytes", "hashes", "cipher", "encrypt", "tpEncrypt", "gdprProxy", "app")
OPS: Final = frozenset({"ACT_UPDATE_MAPINFO", "ACT_WIFI_UPDATE_ALLASSOC"})
"""Operations that change nothing."""
_WRITES: Final = frozenset({"so", "ao", "do"})
_FIELDS: Final = re.compile(r"(sign|data|tag)=([^\r\n]*)\r\n")
_IP: Final = re.compile(r"(?:www\.)?100\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.[a-z]+(?::\d+)?")
_OTHER_UI: Final = "<!doctype html><title>{title}</title><script src='/js/{script}'></script>"
OK, BAD, WRONG_VERB, UNKNOWN_OBJECT, WRONG_LOGIN = 0, 1, 9003, 9804, 71233
WRONG_ENDPOINT, BAD_LOGIN = 71014, 71234
Answer = web.StreamResponse


class Modems:
    """Every TP-Link's admin UI."""

    def __init__(self, plant: Plant, box: Callable[[int], Box]) -> None:
        self._plant, self._box = plant, box
        self._states: dict[int, ModemState] = {}

    def state(self, serial: str) -> ModemState:
        """A modem's memory. Raises LabRefusedError when the lab has no such box."""
        return self._state(self._plant.index_of(serial))

    def _state(self, index: int) -> ModemState:
        if index not in self._states:
            seq = 100_000_000 + int(dice(self._plant.seed, index, 60) * 900_000_000)
            self._states[index] = ModemState(seq)
        return self._states[index]

    async def handle(self, request: web.Request) -> Answer:
        """Any request to any modem."""
        index = self._index(request.host)
        if index is None:
            return web.Response(status=404)
        if not self._plant.conditions(index).reachable:
            await asyncio.sleep(60)
            return cut_off(request)
        state = self._state(index)
        if request.method == "GET":
            return self._page(request, index, state)
        agent = request.headers.get("User-Agent", "")
        if not request.headers.get("Referer") or "Mozilla" not in agent:
            return web.Response(status=406)
        return await self._post(request, index, state)

    async def _post(self, request: web.Request, index: int, state: ModemState) -> Answer:
        match request.path:
            case "/cgi/getGDPRParm":
                return self._parameters(state)
            case "/cgi/getBusy":
                return self._busy(state)
            case "/cgi_gdpr":
                return await self._gdpr(request, index, state)
            case _:
                return web.Response(status=404)

    def _index(self, host: str) -> int | None:
        match = _IP.fullmatch(host)
        if match is None:
            return None
        index = (int(match[1]) - 64) * 65_536 + int(match[2]) * 256 + int(match[3])
        known = 0 <= index < len(self._plant.identities)
        return index if known and self._plant.identities[index].is_tplink else None

    # -- pages

    def _page(self, request: web.Request, index: int, state: ModemState) -> Answer:
        name = request.path.removeprefix("/js/").removesuffix(".js")
        if request.path == f"/js/{name}.js" and name in {"jquery", *SCRIPTS}:
            script = _file(f"{name}.js")
            if state.mischief.renamed:
                script = script.replace("Iencryptor", "newencryptor")
            return web.Response(text=script, content_type="text/javascript")
        if request.path not in {"/", "/main/status.htm"}:
            return web.Response(status=404)
        if self._plant.conditions(index).other_ui:
            page = _OTHER_UI.format(title="Deco", script="../webpages/index.js")
            return web.Response(text=page, content_type="text/html")
        session = self._session(request, state)
        page = _file("frame.html" if session is not None else "login.html")
        tags = "\n".join(f'<script type="text/javascript" src="/js/{s}.js"></script>'
                         for s in SCRIPTS)  # fmt: skip
        page = page.replace("{{scripts}}", tags).replace("{{variant}}", state.mischief.variant)
        page = page.replace("{{token}}", session.token if session is not None else "")
        return web.Response(
            text=page, content_type="text/html", headers={"Cache-Control": "no-cache"}
        )

    def _session(self, request: web.Request, state: ModemState) -> AdminSession | None:
        session = state.alive(self._plant.clock())
        cookie = request.cookies.get("JSESSIONID")
        return session if session is not None and session.cookie == cookie else None

    # -- before the login

    def _parameters(self, state: ModemState) -> Answer:
        if state.mischief.flaky > 0:
            state.mischief.flaky -= 1
            return web.Response(text="$.ret=0;\n")
        text = (
            'var adminSetting=0;\nvar userSetting=1;\nvar logoUrl="";\nvar ee="010001";\n'
            f'var nn="{GOLDEN_N:0128X}";\nvar seq="{state.seq}";\n$.ret=0;\n'
        )
        return web.Response(text=text)

    def _busy(self, state: ModemState) -> Answer:
        if state.mischief.mute_busy:
            return web.Response(status=406)
        taken = state.mischief.human or state.alive(self._plant.clock()) is not None
        return web.Response(text=f"var isLogined={int(taken)};\nvar isBusy=0;\n$.ret=0;\n")

    # -- the envelope

    async def _gdpr(self, request: web.Request, index: int, state: ModemState) -> Answer:
        if request.query_string != "9":
            return web.Response(text=f"$.ret={WRONG_ENDPOINT};")
        body = dict(_FIELDS.findall(await request.text()))
        variant = Variant(state.mischief.variant)
        try:
            signed = _signed(body, variant, state.seq)
            if "key" in signed:
                await asyncio.sleep(state.mischief.slow_login_s)
                return self._login(body, signed, variant, state)
        except EnvelopeError:
            return cut_off(request)
        return await self._operation(request, index, state, body, signed)

    def _login(
        self, body: dict[str, str], signed: dict[str, str], variant: Variant, state: ModemState
    ) -> Answer:
        now = self._plant.clock()
        key = SessionKey.of_text(signed["key"], signed.get("iv", ""), variant)
        wish = _parsed(key.decrypt(body.get("data", ""), body.get("tag", "")))
        if wish.get("operation") != "cgi" or wish.get("oid") != "/cgi/login":
            return web.Response(text=key.encrypt(f"$.ret={BAD_LOGIN};"))
        given = cast("dict[str, str]", wish.get("data") or {})
        right = (
            signed.get("h") == login_hash(USER, PASSWORD)
            and _plain(given.get("UserName", "")) == USER
            and _plain(given.get("Passwd", "")) == PASSWORD
            and given.get("Action") == "1"
        )
        if state.mischief.login_code:
            return web.Response(text=key.encrypt(f"$.ret={state.mischief.login_code};"))
        if now < state.locked_until or not right:
            if not right:
                state.fail(now)
            return web.Response(text=key.encrypt(f"$.ret={WRONG_LOGIN};"))
        session = state.login(key, signed["h"], now)
        answer = web.Response(text=key.encrypt("$.ret=0;") + "\0")
        answer.headers["Set-Cookie"] = f"JSESSIONID={session.cookie}; Path=/; HttpOnly"
        return answer

    async def _operation(
        self,
        request: web.Request,
        index: int,
        state: ModemState,
        body: dict[str, str],
        signed: dict[str, str],
    ) -> Answer:
        mischief, now = state.mischief, self._plant.clock()
        session = self._session(request, state)
        if session is None or request.headers.get("TokenID") != session.token:
            return web.Response(status=406)
        if (trouble := await self._trouble(request, state)) is not None:
            return trouble
        if signed.get("h") != session.hash:
            return cut_off(request)
        try:
            wish = _parsed(session.key.decrypt(body.get("data", ""), body.get("tag", "")))
        except EnvelopeError:
            return cut_off(request)
        session.seen_at = now
        session.operations += 1
        said = self._perform(index, state, session, wish)
        if mischief.evicts_after is not None and session.operations >= mischief.evicts_after:
            mischief.evicts_after = None
            state.evict(now)
        return web.Response(text=session.key.encrypt(said) if said else "")

    async def _trouble(self, request: web.Request, state: ModemState) -> Answer | None:
        mischief = state.mischief
        if mischief.slow_s:
            await asyncio.sleep(mischief.slow_s)
        if mischief.hangs:
            await asyncio.sleep(3600)
        if mischief.storm > 0:
            mischief.storm -= 1
            return web.Response(status=406)
        if mischief.closes > 0:
            mischief.closes -= 1
            return cut_off(request)
        if mischief.html:
            return web.Response(
                text="<html><script>location.href='/'</script></html>", content_type="text/html"
            )
        return None

    # -- what is done

    def _perform(
        self, index: int, state: ModemState, session: AdminSession, wish: dict[str, Any]
    ) -> str:
        verb, oid = str(wish.get("operation")), str(wish.get("oid"))
        if verb == "cgi":
            return self._cgi(oid, state)
        if verb in _WRITES or (verb == "op" and oid not in OPS):
            state.writes.append(f"{verb} {oid}")
            return _json({"success": True, "errorcode": 0})
        if verb == "op":
            session.mapped = True
            return _json({"success": True, "errorcode": 0, "operation": verb, "oid": oid})
        state.reads.append(oid)
        code = state.mischief.refuses.get(oid) or _refusal(verb, oid)
        if code:
            return _json({"success": False, "errorcode": code})
        rows = rows_of(oid, self._box(index), mapped=session.mapped)
        data: object = rows[0] if verb == "go" else rows
        return _json({"data": data, "operation": verb, "oid": oid, "success": True})

    def _cgi(self, oid: str, state: ModemState) -> str:
        if oid != "/cgi/logout":
            return "$.ret=0;"
        state.session = None
        state.logouts += 1
        answers = {"empty": "", "ret": "$.ret=0;", "json": _json({"success": True})}
        return answers[state.mischief.logout]


def _signed(body: dict[str, str], variant: Variant, seq: int) -> dict[str, str]:
    """The fields below a signature that fits the data. Raises EnvelopeError."""
    text = GOLDEN_KEY.open(body.get("sign", ""), variant)
    pairs = (part.partition("=") for part in text.split("&"))
    signed = {name: value for name, _, value in pairs}
    if signed.get("s") != str(seq + len(body.get("data", ""))):
        raise EnvelopeError("s is not seq and length")
    return signed


def _refusal(verb: str, oid: str) -> int:
    if oid not in SINGLE and oid not in LISTS:
        return UNKNOWN_OBJECT
    if verb == "gl":
        return OK if oid in LISTS else WRONG_VERB
    return OK if verb in {"go", "gs"} else BAD


def _parsed(text: str) -> dict[str, Any]:
    try:
        wish: object = json.loads(text)
    except json.JSONDecodeError:
        raise EnvelopeError("not JSON") from None
    if not isinstance(wish, dict):
        raise EnvelopeError("not an object")
    return cast("dict[str, Any]", wish)


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return ""


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


@cache
def _file(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")
