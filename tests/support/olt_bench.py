"""Short ways for OLT tests: an agent, a client for it, and its measurements by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cpe.access.olt.client import OltClient
from cpe.access.olt.engine import running_engine
from cpe.access.olt.index_cache import MemoryIndexCache, OntIndexCache
from cpe.access.olt.inventory import OltTarget
from cpe.domain.observation import Measurement
from cpe.domain.snapshot import OltSighting
from tests.support.snmp_agent import Agent, Faults, Raw, running_agent

COMMUNITY = "test-CANARY-community"


@dataclass
class Bench:
    """One OLT under test."""

    agent: Agent
    client: OltClient
    cache: OntIndexCache
    target: OltTarget


def target_of(agent: Agent, profile: str, *, name: str = "olt-1") -> OltTarget:
    """An inventory entry for the agent."""
    return OltTarget.model_validate(
        {
            "name": name,
            "host": "127.0.0.1",
            "port": agent.port,
            "profile": profile,
            "community": COMMUNITY,
        }
    )


@asynccontextmanager
async def bench(
    profile: str, rows: Mapping[str, Raw], *, faults: Faults | None = None
) -> AsyncIterator[Bench]:
    """An agent that serves the rows, and a client with an empty cache."""
    async with running_agent(rows, community=COMMUNITY, faults=faults) as agent:
        target, cache = target_of(agent, profile), MemoryIndexCache()
        yield Bench(agent, OltClient(target, await running_engine(), cache), cache, target)


def by_name(seen: OltSighting) -> dict[str, Measurement]:
    """The sighting's measurements."""
    found = {m.name: m for m in seen.measurements}
    assert len(found) == len(seen.measurements), "a measurement was made twice"
    return found
