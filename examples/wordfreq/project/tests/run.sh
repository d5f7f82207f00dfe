#!/bin/sh
# Runs the tests that are named, or all: sh tests/run.sh [NAME...]
cd "$(dirname "$0")/.." || exit 2
if [ $# -eq 0 ]; then
    for file in tests/*_test.sh; do
        name=${file#tests/}
        set -- "$@" "${name%_test.sh}"
    done
fi
status=0
for name in "$@"; do
    echo "# $name"
    sh "tests/${name}_test.sh" || status=1
done
exit $status
