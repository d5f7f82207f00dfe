#!/bin/sh
# Words to ranked lines: sh lib/rank.sh [N]
# count, tab, word; the greatest count first, equal counts by word; at most N lines (10 unless told).
here=$(dirname "$0")
sh "$here/filter.sh" | sh "$here/count.sh" | LC_ALL=C sort -k1,1nr -k2,2 | head -n "${1:-10}"
