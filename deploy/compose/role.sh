#!/bin/bash
# Runs once, when PostgreSQL is made: the worker's role is no superuser and owns nothing but its database. The superuser is left
# without a password, so that it can only come in by the socket in the container.
psql -q -v ON_ERROR_STOP=1 --no-psqlrc --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<SQL
SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
CREATE ROLE tasker LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '$(cat /credentials/password)';
CREATE DATABASE tasker OWNER tasker;
REVOKE ALL ON DATABASE tasker FROM PUBLIC;
ALTER ROLE "$POSTGRES_USER" PASSWORD NULL;
\connect tasker
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO tasker;
SQL
