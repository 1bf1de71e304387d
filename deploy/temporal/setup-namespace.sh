#!/bin/sh
# Creates the namespace and the search attributes that refund workflows set. It can be run again.
#
# Environment: TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, which the Temporal CLI reads itself, and RETENTION (default 720h).
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

# Retried, because a new namespace is not known to every part of the server at once.
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
