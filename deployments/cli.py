"""The `cpe` command. Bad input is answered before anything heavy is imported or sent."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from deployments.commands.console import complain
from deployments.commands.exits import BAD_INPUT, Exit
from deployments.swap_cli import swap_app


class Commands(typer.core.TyperGroup):
    """A setting that cannot be used is bad input, whichever command meets it first."""

    def invoke(self, ctx: Any) -> Any:  # Any: typer carries a private click of its own
        try:
            return super().invoke(ctx)
        except ValueError as error:
            from pydantic import ValidationError  # noqa: PLC0415 - slow import

            from cpe.domain.errors import ProfileError  # noqa: PLC0415
            from cpe.settings import mistakes  # noqa: PLC0415

            if isinstance(error, ProfileError):
                complain(" ".join(str(error).split()))
                raise Exit(BAD_INPUT) from None
            if not isinstance(error, ValidationError):
                raise
            try:
                said = mistakes(error)
            except KeyError:
                raise error from None
            complain(said)
            raise Exit(BAD_INPUT) from None


app = typer.Typer(
    cls=Commands,
    name="cpe",
    help="Pourquoi la connexion d'un client est mauvaise · Why a customer's connection is bad.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(swap_app)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document a line on stdout.")]


@app.command()
def diagnose(
    serials: Annotated[list[str], typer.Argument(metavar="SERIAL...", show_default=False)],
    *,
    as_json: Json = False,
    speedtest: Annotated[bool, typer.Option(help="Have the box measure its own speed.")] = False,
    measured_mbps: Annotated[
        float | None, typer.Option(min=0, max=100_000, help="What the customer measured.")
    ] = None,
    plan_mbps: Annotated[
        float | None, typer.Option(min=0.001, max=100_000, help="The customer's plan.")
    ] = None,
) -> None:
    """Diagnose one or more boxes by TR-069 serial, GPON serial or MAC."""
    from deployments.commands.diagnose import Options, run  # noqa: PLC0415 - slow imports

    raise Exit(run(serials, Options(as_json, speedtest, measured_mbps, plan_mbps)))


@app.command()
def history(
    serial: str,
    *,
    as_json: Json = False,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
) -> None:
    """List what was found on this box before, newest first."""
    from deployments.commands.history import run  # noqa: PLC0415 - slow imports

    raise Exit(run(serial, limit=limit, as_json=as_json))


@app.command()
def replay(
    diagnosis_id: Annotated[str, typer.Argument(metavar="ID")],
    *,
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Thresholds to try instead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge a kept diagnosis again, with the shipped thresholds or with others."""
    from deployments.commands.replay import run  # noqa: PLC0415 - slow imports

    raise Exit(run(diagnosis_id, rules=rules, as_json=as_json))


@app.command()
def doctor(
    *,
    fix: Annotated[
        bool, typer.Option("--fix", help="Make the key field of ERPNext's Task when it lacks.")
    ] = False,
    serial: Annotated[
        str | None,
        typer.Option(
            help="Say of one box which family it is of and which path feeds each reading."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check each configured system; say what is wrong and how to mend it."""
    if serial is not None:
        from deployments.commands.doctor_serial import run as examine  # noqa: PLC0415 - slow

        raise Exit(examine(serial, as_json=as_json))
    from deployments.commands.doctor import run  # noqa: PLC0415 - slow imports

    raise Exit(run(as_json=as_json, fix=fix))


@app.command()
def sweep(
    *,
    as_json: Json = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write the report, one file.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="One line a box: .csv or .parquet.")
    ] = None,
    worst: Annotated[
        int | None, typer.Option(min=0, max=200, help="Full diagnoses of so many of the worst.")
    ] = None,
    refresh: Annotated[bool, typer.Option(help="Have doubtful stale boxes read again.")] = True,
) -> None:
    """Judge the whole fleet: what is weak, what fades, what is out, what could not be seen."""
    from deployments.commands.sweep import Options, run  # noqa: PLC0415 - slow imports

    raise Exit(run(Options(as_json, report, export, worst, refresh)))


fleet = typer.Typer(help="What the last sweeps left.", no_args_is_help=True)
app.add_typer(fleet, name="fleet")


@fleet.command("worst")
def fleet_worst(
    *, as_json: Json = False, limit: Annotated[int, typer.Option(min=1, max=1000)] = 20
) -> None:
    """The boxes that deserve attention most."""
    from deployments.commands.fleet import worst  # noqa: PLC0415 - slow imports

    raise Exit(worst(limit=limit, as_json=as_json))


@fleet.command("pon")
def fleet_pon(
    olt: Annotated[str | None, typer.Argument(help="As the inventory names it.")] = None,
    pon: Annotated[str | None, typer.Argument(help="As 0/1/3.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """The boxes of a PON, the weakest first; without one, the PONs."""
    from deployments.commands import fleet as commands  # noqa: PLC0415 - slow imports

    raise Exit(commands.pon(olt, pon, as_json=as_json))


@fleet.command("trend")
def fleet_trend(serial: str, *, as_json: Json = False) -> None:
    """One box over the weeks: its Rx power, the OLT's, its verdicts."""
    from deployments.commands.fleet import trend  # noqa: PLC0415 - slow imports

    raise Exit(trend(serial, as_json=as_json))


@app.command()
def lab(
    devices: Annotated[int, typer.Option(min=1, max=100_000)] = 60,
    seed: Annotated[int, typer.Option(help="The same seed makes the same plant.")] = 1,
    olts: Annotated[int, typer.Option(min=3, max=100)] = 3,
) -> None:
    """Run the simulated plant alone and print what to export."""
    from deployments.commands.lab import run  # noqa: PLC0415 - slow imports

    raise Exit(run(devices=devices, seed=seed, olts=olts))


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the Prefect UI.", min=0, max=65535)] = 4200,
    hub_port: Annotated[int, typer.Option(help="Port of the hub.", min=0, max=65535)] = 4280,
) -> None:
    """Run the Prefect server, its UI, workers and the hub for the systems in the environment."""
    from deployments.commands.up import run  # noqa: PLC0415 - slow imports

    raise Exit(run(port=port, hub_port=hub_port))


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the tour.")] = False,
    devices: Annotated[int, typer.Option(min=40, max=100_000)] = 60,
    port: Annotated[int, typer.Option(help="Port of the Prefect UI.", min=0, max=65535)] = 4200,
    hub_port: Annotated[int, typer.Option(help="Port of the hub.", min=0, max=65535)] = 4280,
) -> None:
    """Lab, server, worker and hub together: diagnose a tour of faulty boxes, then stay up."""
    from deployments.commands.demo import run  # noqa: PLC0415 - slow imports

    raise Exit(run(once=once, devices=devices, port=port, hub_port=hub_port))


@app.command()
def worker(
    pool: Annotated[str, typer.Option(help="The work pool to serve.")] = "cpe",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Flow runs at once.")] = 50,
) -> None:
    """Run one more warm worker for a Prefect server that is up."""
    from deployments.commands.worker import run  # noqa: PLC0415 - slow imports

    raise Exit(run(pool=pool, limit=limit))


@app.command()
def hub(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 4280,
) -> None:
    """Run the hub's HTTP API and its page for a Prefect server that is up."""
    from deployments.commands.hub import run  # noqa: PLC0415 - slow imports

    raise Exit(run(host=host, port=port))


def main() -> None:
    """Entry point; typer's own usage errors also end with 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows no arrow gets a question mark, not a traceback for a verdict.
        sys.stdout.reconfigure(errors="replace")
    app(standalone_mode=True)


if __name__ == "__main__":
    main()

__all__ = ["BAD_INPUT", "app", "main"]
