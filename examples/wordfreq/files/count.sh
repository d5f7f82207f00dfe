#!/bin/sh
# Counts equal words: count, tab, word, sorted by word.
LC_ALL=C sort | uniq -c | awk '{ print $1 "\t" $2 }'
