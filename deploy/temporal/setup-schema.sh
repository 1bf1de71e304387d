#!/bin/sh
# Creates Temporal's two databases and updates their schema to this release. It can be run again: only missing updates are applied.
#
# Environment: SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD, which temporal-sql-tool reads itself.
# SCHEMA is the folder of the schema files in the image.
set -eu
schema=${SCHEMA:-/etc/temporal/schema/postgresql/v12}

for database in temporal:temporal temporal_visibility:visibility; do
  name=${database%%:*}
  files=$schema/${database##*:}/versioned
  # Both do nothing if the database or the schema exists already.
  temporal-sql-tool --db "$name" create
  temporal-sql-tool --db "$name" setup-schema -v 0.0
  temporal-sql-tool --db "$name" update-schema -d "$files"
done
