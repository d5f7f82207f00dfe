#!/bin/sh
# Syntax of all scripts.
status=0
for file in *.sh lib/*.sh tests/*.sh; do
    [ -f "$file" ] || continue
    sh -n "$file" || status=1
done
exit $status
