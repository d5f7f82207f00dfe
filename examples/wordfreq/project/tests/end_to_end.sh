#!/bin/sh
# The whole program on the sample.
cd "$(dirname "$0")/.." || exit 2
. tests/check.sh

expected='river  11  ####################
stone  10  ##################
water   4  #######'
is "the sample" "$expected" "$(sh wordfreq.sh -n 3 data/sample.txt)"
is "standard input is the same" "$expected" "$(sh wordfreq.sh -n 3 < data/sample.txt)"
finish
