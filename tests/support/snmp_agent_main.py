"""The test agent as a process of its own: `python -m tests.support.snmp_agent_main`.

Serves one Huawei PON of 64 ONTs. Arguments: community, delay in seconds per PDU. Prints its port,
then for every line on stdin the PDUs counted since the last one, as JSON; ends with stdin.
"""

from __future__ import annotations

import asyncio
import json
import sys

from tests.support.olt_rows import huawei
from tests.support.snmp_agent import Faults, Raw, running_agent

ONTS = 64


async def main(community: str, delay_s: float) -> None:
    rows: dict[str, Raw] = {}
    for ont in range(1, ONTS + 1):
        rows |= huawei(f"HWTC0000AA{ont:02X}", ont=ont)
    async with running_agent(rows, community=community, faults=Faults(delay_s=delay_s)) as agent:
        sys.stdout.write(f"{agent.port}\n")
        sys.stdout.flush()
        while await asyncio.to_thread(sys.stdin.readline):
            sys.stdout.write(f"{json.dumps(agent.pdus)}\n")
            sys.stdout.flush()
            agent.pdus.clear()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
