"""A diagnosis as a flow run of this process: what the command, the demo and the benchmark call."""

from __future__ import annotations

from typing import Any

from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.settings import get_current_settings

from cpe.answer.document import Json
from flows.client import ClientContext
from flows.diagnose_cpe import diagnose_cpe
from flows.request import DiagnosisRequest, run_name


async def diagnose_here(request: DiagnosisRequest) -> Json:
    """Run the flow; its answer `cpe.diagnosis/1`. Raises what the flow raises.

    The run is named as it is created; to name it afterwards is a request more.
    """
    if get_current_settings().api.url is None:  # Prefect starts a server of its own
        return await diagnose_cpe(request)
    async with ClientContext(_Naming):
        return await diagnose_cpe(request)


class _Naming(PrefectClient):
    async def create_flow_run(
        self, flow: Flow[Any, Any], name: str | None = None, *args: Any, **rest: Any
    ) -> FlowRun:
        parameters = rest.get("parameters") or {}
        if name is None and flow is diagnose_cpe and "request" in parameters:
            name = run_name(DiagnosisRequest.model_validate(parameters["request"]).serial)
        return await super().create_flow_run(flow, name, *args, **rest)
