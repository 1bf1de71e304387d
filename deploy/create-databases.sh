#!/bin/sh
# Run once by the postgres image, on an empty volume: a role and its databases for each of the two users of this server,
# so that neither can read the other's. Temporal's schema job creates its own databases.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set temporal_password="$TEMPORAL_DB_PASSWORD" --set refunds_password="$REFUNDS_DB_PASSWORD" <<'SQL'
create role temporal login createdb password :'temporal_password';
create role refunds login password :'refunds_password';
create database refunds owner refunds;
revoke connect on database refunds from public;
SQL
