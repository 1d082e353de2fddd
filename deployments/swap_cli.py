"""`cpe swap`: its sub-commands and their options; nothing heavy is imported here."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from deployments.commands.exits import Exit

swap_app = typer.Typer(
    name="swap",
    help="Échanges de boîtes et leur suivi · Swaps and their follow-up.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document a line on stdout.")]
SwapId = Annotated[
    str, typer.Argument(metavar="ID", help="The swap's id, or at least its first 6 characters.")
]
By = Annotated[str, typer.Option("--by", help="Who says so.", show_default=False)]


@swap_app.command()
def start(
    kind: Annotated[
        Literal["remplacement_definitif", "swap_diagnostic", "retour_de_diagnostic"],
        typer.Argument(metavar="KIND", help="The kind of swap."),
    ],
    old: Annotated[str, typer.Argument(metavar="OLD", help="Serial of the customer's unit.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Serial of the replacement.")],
    *,
    by: Annotated[str, typer.Option("--by", help="The technician.")] = "",
    reason: Annotated[str, typer.Option(help="The complaint.")] = "",
    diagnosis: Annotated[
        str | None, typer.Option(help="A diagnosis of OLD, at most 30 minutes old.")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="Refuse when OLD is not theirs.")] = None,
    as_json: Json = False,
) -> None:
    """Start a swap: remplacement_definitif, swap_diagnostic or retour_de_diagnostic."""
    from deployments.commands import swap  # noqa: PLC0415 - slow imports

    fields = {
        "kind": kind,
        "old_serial": old,
        "new_serial": new,
        "requested_by": by,
        "reason": reason,
        "diagnosis_id": diagnosis,
        "customer": customer,
    }
    raise Exit(swap.start(fields, as_json=as_json))


@swap_app.command()
def answer(
    swap_id: SwapId,
    result: Annotated[
        Literal["passed", "failed", "returned", "not_tested"], typer.Argument(metavar="RESULT")
    ],
    *,
    by: By,
    remarks: Annotated[str, typer.Option()] = "",
    as_json: Json = False,
) -> None:
    """Answer for the bench: passed, failed, returned or not_tested."""
    from deployments.commands import swap  # noqa: PLC0415

    fields = {"result": result, "by": by, "remarks": remarks}
    raise Exit(swap.answer(swap_id, fields, as_json=as_json))


@swap_app.command("return")
def give_back(
    swap_id: SwapId,
    *,
    by: By,
    remarks: Annotated[str, typer.Option()] = "",
    as_json: Json = False,
) -> None:
    """The removed unit went back to the customer (retour_de_diagnostic)."""
    from deployments.commands import swap  # noqa: PLC0415

    raise Exit(swap.give_back(swap_id, {"by": by, "remarks": remarks}, as_json=as_json))


@swap_app.command()
def override(
    swap_id: SwapId,
    *,
    by: By,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept and counted.")],
    give_up: Annotated[bool, typer.Option("--give-up", help="Give the swap up instead.")] = False,
    as_json: Json = False,
) -> None:
    """Let a swap through that the diagnosis blocks, or give it up."""
    from deployments.commands import swap  # noqa: PLC0415

    decision = "give_up" if give_up else "override"
    fields = {"decision": decision, "by": by, "reason": reason}
    raise Exit(swap.override(swap_id, fields, as_json=as_json))


@swap_app.command()
def resume(swap_id: SwapId, *, as_json: Json = False) -> None:
    """Take up a swap whose run died."""
    from deployments.commands import swap  # noqa: PLC0415

    raise Exit(swap.resume(swap_id, as_json=as_json))


@swap_app.command()
def show(swap_id: SwapId, *, as_json: Json = False) -> None:
    """Show one swap."""
    from deployments.commands import swap  # noqa: PLC0415

    raise Exit(swap.show(swap_id, as_json=as_json))


@swap_app.command("list")
def listed(
    *,
    state: Annotated[
        str | None, typer.Option(help="A state, or `open` for all that have not ended.")
    ] = None,
    serial: Annotated[str | None, typer.Option(help="Either unit's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_json: Json = False,
) -> None:
    """List swaps, newest first."""
    from deployments.commands import swap  # noqa: PLC0415

    raise Exit(swap.listed(state, serial, limit, as_json=as_json))


@swap_app.command()
def report(
    *,
    days: Annotated[int | None, typer.Option(min=1, max=3650)] = None,
    as_json: Json = False,
) -> None:
    """The no-fault-found ledger."""
    from deployments.commands import swap  # noqa: PLC0415

    raise Exit(swap.report(days, as_json=as_json))
