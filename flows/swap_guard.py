"""The swap guard: a recent diagnosis of this very box, named or made now, and what it allows."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from prefect.context import FlowRunContext

from cpe.domain.errors import ProfileError, StoreError
from cpe.domain.memory import Identity, KeptDiagnosis
from cpe.domain.serials import gpon_serial, mac_address
from cpe.domain.snapshot import Request
from cpe.domain.swap_case import DiagnosisRef, Guarded, Permission, SwapCase
from cpe.domain.swap_compare import failed
from cpe.domain.swap_guard import is_recent, lets_through
from cpe.profiles.check import check_profiles
from cpe.store.repository import Store
from flows.conduct import Step, diagnose, keep
from flows.links import flow_run_url
from tasks import clients
from tasks.policy import teller
from tasks.swap_clock import now


async def guard(case: SwapCase, step: Step) -> tuple[Guarded, DiagnosisRef | None]:
    """What the diagnosis allows. Raises StoreError."""
    store = await clients.store()
    kept, named = await _named(store, case)
    if kept is None:
        kept = await diagnosed(
            diagnosis_id(case.id, "guard"), case.old.serial, case.requested_by, step
        )
    if kept is None:
        said = Guarded(Permission.NONE, passed=False, named=named, at=now())
        return said, None
    permission = Permission(kept.verdict.swap.value)
    passed = lets_through(case.kind, permission)
    return Guarded(permission, passed, named, now(), kept.verdict.code.value), reference(kept)


def reference(kept: KeptDiagnosis) -> DiagnosisRef:
    """What a swap remembers of a diagnosis, which may be pruned before it."""
    device = kept.snapshot.device
    return DiagnosisRef(
        id=kept.id,
        verdict=kept.verdict.code.value,
        swap=kept.verdict.swap.value,
        rules=failed(kept.verdict, kept.findings),
        model=device.model,
        firmware=device.firmware,
        finished_at=kept.finished_at,
    )


def diagnosis_id(swap_id: str, why: str) -> str:
    """The same for the same swap and reason: made once, however often it is begun."""
    return str(uuid5(NAMESPACE_URL, f"swap/{swap_id}/{why}"))


async def diagnosed(
    wanted: str, serial: str, requested_by: str, step: Step
) -> KeptDiagnosis | None:
    """The diagnosis of that id, made now when it is not kept yet; None when it was not kept.

    Nor made, where the operator's profiles cannot be used: the run's log says why.
    """
    store = await clients.store()
    if (kept := await store.load(wanted)) is not None:
        return kept
    try:
        check_profiles()
    except ProfileError as error:
        teller()(f"no diagnosis: {error}")
        return None
    request = Request(serial=serial, requested_by=requested_by)
    reached = await diagnose(request, wanted, _run(), step)
    if await keep(reached, step):
        return None
    return reached.kept


def _run() -> dict[str, str | None]:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return {"flow_run_id": None, "url": None}
    run_id = str(context.flow_run.id)
    return {"flow_run_id": run_id, "url": flow_run_url(run_id)}


async def _named(store: Store, case: SwapCase) -> tuple[KeptDiagnosis | None, str]:
    if not case.named_diagnosis:
        return None, "none"
    try:
        kept = await store.load(case.named_diagnosis)
    except StoreError as error:
        if error.__cause__ is not None:
            raise
        return None, "not_found"  # a prefix of several ids
    if kept is None:
        return None, "not_found"
    if not _names_of(kept) & await _names(store, case.old.serial):
        return None, "other_serial"
    if not is_recent(kept.finished_at, now()):
        return None, "stale"
    return kept, "used"


def _names_of(kept: KeptDiagnosis) -> set[str]:
    device = kept.snapshot.device
    told = (device.serial, device.gpon_serial, device.mac, kept.snapshot.request.serial)
    return {name for one in told if one for name in _spellings(one)}


async def _names(store: Store, serial: str) -> set[str]:
    identity = await store.identity(serial) or Identity(now(), "")
    told = (serial, identity.tr069_serial, identity.gpon_serial, identity.mac)
    return {name for one in told if one for name in _spellings(one)}


def _spellings(serial: str) -> set[str]:
    found = (serial.upper(), gpon_serial(serial), mac_address(serial))
    return {name for name in found if name}
