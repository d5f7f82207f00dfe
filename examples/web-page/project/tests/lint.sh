#!/bin/sh
# Syntax of all scripts.
status=0
for file in js/*.mjs tests/*.mjs; do
    [ -f "$file" ] || continue
    node --check "$file" || status=1
done
exit $status
