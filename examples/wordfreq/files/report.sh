#!/bin/sh
# Ranked lines (count, tab, word) to a table with bars.
awk -F '\t' '
    {
        count[NR] = $1
        word[NR] = $2
        if (length($1) > digits) digits = length($1)
        if (length($2) > width) width = length($2)
    }
    END {
        for (i = 1; i <= NR; i++) {
            length_of_bar = int(20 * count[i] / count[1])
            if (length_of_bar < 1) length_of_bar = 1
            bar = sprintf("%" length_of_bar "s", "")
            gsub(/ /, "#", bar)
            printf "%-" width "s  %" digits "d  %s\n", word[i], count[i], bar
        }
    }'
