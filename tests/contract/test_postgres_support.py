"""The throw-away PostgreSQL that store and server tests stand on."""

from __future__ import annotations

import asyncpg
import pytest


@pytest.mark.postgres
async def test_each_test_gets_an_empty_database_of_its_own(postgres_cluster, postgres_url):
    other = await postgres_cluster.database()
    assert other != postgres_url
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("CREATE TABLE t (n integer)")
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert await connection.fetchval(tables) == 1
        second = await asyncpg.connect(other)
        try:
            assert await second.fetchval(tables) == 0
        finally:
            await second.close()
    finally:
        await connection.close()


@pytest.mark.postgres
async def test_postgres_has_the_extension_that_prefect_needs(postgres_url):
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("CREATE EXTENSION pg_trgm")
        assert await connection.fetchval("SELECT similarity('modem', 'modem')") == 1
    finally:
        await connection.close()


@pytest.mark.postgres
async def test_postgres_asks_for_its_password(postgres_url):
    refused = postgres_url.replace("cpe:", "cpe:wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(refused)
