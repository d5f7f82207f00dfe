#!/bin/sh
# What the feature is for, as a user calls it.
expected='[{"file":"tests/data/long.txt","lines":3},{"file":"tests/data/short.txt","lines":1}]'
actual=$(cargo run --quiet -- --sort --json tests/data/short.txt tests/data/long.txt) || exit 1
[ "$actual" = "$expected" ] && exit 0
echo "expected: $expected"
echo "     got: $actual"
exit 1
