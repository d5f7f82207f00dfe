. tests/check.sh

table() {
    printf '%b' "$1" | sh lib/report.sh
}

is "columns and bars" 'stone  10  ####################
oak     5  ##########' "$(table '10\tstone\n5\toak\n')"
is "a bar is never empty" 'aa  100  ####################
bb    1  #' "$(table '100\taa\n1\tbb\n')"
is "nothing" "" "$(table '')"
finish
