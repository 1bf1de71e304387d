#!/bin/sh
# Brings Temporal's two databases up to the schema of this release. Safe to run again: an update applies what is missing.
#
# Reads SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER, SQL_PASSWORD, which temporal-sql-tool knows by itself.
# SCHEMA is where the image keeps the schema files.
set -eu
schema=${SCHEMA:-/etc/temporal/schema/postgresql/v12}

for database in temporal:temporal temporal_visibility:visibility; do
  name=${database%%:*}
  files=$schema/${database##*:}/versioned
  # Both do nothing where it is there already.
  temporal-sql-tool --db "$name" create
  temporal-sql-tool --db "$name" setup-schema -v 0.0
  temporal-sql-tool --db "$name" update-schema -d "$files"
done
