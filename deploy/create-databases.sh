#!/bin/sh
# The postgres image runs this once, on an empty volume. It creates a role for Temporal and one for oppwa-refunds, so that
# neither can read the other's data, and the database of oppwa-refunds. Temporal's schema job creates Temporal's databases.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set temporal_password="$TEMPORAL_DB_PASSWORD" --set refunds_password="$REFUNDS_DB_PASSWORD" <<'SQL'
create role temporal login createdb password :'temporal_password';
create role refunds login password :'refunds_password';
create database refunds owner refunds;
revoke connect on database refunds from public;
SQL
