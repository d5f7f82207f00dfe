#!/bin/sh
# Runs the tests that are named, or all: sh tests/run.sh [NAME...]
cd "$(dirname "$0")/.." || exit 2
[ $# -gt 0 ] || set -- $(ls tests | sed -n 's/_test\.sh$//p')
count=0
failed=0
# is WHAT EXPECTED ACTUAL
is() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        failed=$((failed + 1))
        printf 'not ok %s - %s\n  expected: %s\n       got: %s\n' "$count" "$1" "$2" "$3"
    fi
}
for name in "$@"; do
    . "./tests/${name}_test.sh" || exit 1
done
echo "$count tests, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
