#!/bin/sh
# Words to ranked lines: sh lib/rank.sh [N]
# count, tab, word; the greatest count first, equal counts by word; at most N lines (10 unless told).
echo "rank: not implemented yet" >&2
exit 70
