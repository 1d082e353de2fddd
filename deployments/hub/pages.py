"""Routes: the page for people without the ops app, and the API's description. No data in them.

The page is static and calls the API with a token as anybody would.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import Phrase, wording
from cpe.settings import DiagnosisSettings
from deployments.hub.documents import encoded

FOLDER: Final = Path(__file__).parent / "page"
DOCS: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>gigafibre-cpe · API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/assets/docs.js"></script></body></html>
"""
router = APIRouter(include_in_schema=False)


@router.get("/assets/words.json")
async def words() -> Response:
    """The operator's words and the limits that readings are drawn against."""
    return Response(_words(), media_type="application/json", headers=_cached())


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Swagger UI, from our own host."""
    return HTMLResponse(DOCS)


@router.get("/")
@router.get("/devices")
@router.get("/devices/{serial:path}")
async def page() -> FileResponse:
    """One file for every box; the browser's address says which."""
    return FileResponse(FOLDER / "index.html", media_type="text/html", headers=_cached())


def install(app: FastAPI) -> None:
    """Last of all routes: `/devices/{serial}` takes what nobody else wants."""
    app.mount("/docs/assets", StaticFiles(packages=[("fastapi_offline", "static")]))
    app.include_router(router)
    app.mount("/assets", StaticFiles(directory=FOLDER))
    assert (files("fastapi_offline") / "static" / "swagger-ui-bundle.js").is_file()  # noqa: S101


def _cached() -> dict[str, str]:
    return {"cache-control": "no-cache"}  # asked again each time, sent again when it changed


@cache
def _words() -> bytes:
    shown = wording()
    limits = load_thresholds(DiagnosisSettings().rules)
    return encoded(
        {
            "verdicts": _plain(shown.verdicts),
            "actions": _plain(shown.actions),
            "labels": _plain(shown.labels),
            "titles": _plain(shown.titles),
            "quantities": _plain(shown.quantities),
            "steps": _plain(shown.steps),
            "values": _plain(shown.values),
            "outcomes": _plain(shown.outcomes),
            "limits": {
                "rx_min_dbm": limits.optical.rx_min_dbm,
                "rx_max_dbm": limits.optical.rx_max_dbm,
                "wifi": limits.wifi.model_dump(),
                "client": limits.client.model_dump(),
                "mesh": limits.mesh.model_dump(),
            },
            "language": DiagnosisSettings().language,
        }
    )


def _plain(phrases: dict[str, Phrase]) -> dict[str, dict[str, str]]:
    return {name: {"fr": phrase.fr, "en": phrase.en} for name, phrase in phrases.items()}
