#!/bin/sh
# Creates the namespace and the search attributes that refunds set. Safe to run again.
#
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, which the CLI knows by itself, and RETENTION.
set -eu

tries=60
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo "Temporal at $TEMPORAL_ADDRESS did not become healthy" >&2
    exit 1
  fi
  sleep 1
done

if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "${RETENTION:-720h}"
fi

# A namespace that was created a moment ago is not known to every part of the server yet.
for attribute in RefundState:Keyword RefundNeedsOperator:Bool PaymentId:Keyword; do
  name=${attribute%%:*}
  tries=60
  until temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" 2>/dev/null | grep -qw "$name"; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo "search attribute $name could not be created" >&2
      exit 1
    fi
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
      --name "$name" --type "${attribute##*:}" || sleep 1
  done
done
