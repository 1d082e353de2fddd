-- Beside our own database: Prefect's, with the extension that its migrations ask for.
CREATE DATABASE prefect OWNER cpe;
\connect prefect
CREATE EXTENSION IF NOT EXISTS pg_trgm;
