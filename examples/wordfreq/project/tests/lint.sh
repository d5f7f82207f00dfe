#!/bin/sh
# Syntax of all scripts.
cd "$(dirname "$0")/.." || exit 2
status=0
for file in ./*.sh lib/*.sh tests/*.sh; do
    [ -f "$file" ] || continue
    sh -n "$file" || status=1
    if grep -n "[[:space:]]$" "$file"; then
        echo "$file: blank at the end of a line" >&2
        status=1
    fi
done
exit $status
