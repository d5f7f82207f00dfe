. tests/check.sh

kept() {
    printf '%s\n' "$@" | sh lib/filter.sh | tr '\n' ' '
}

is "stop words are dropped" "river stone " "$(kept the river and the stone)"
is "one letter is dropped" "yes " "$(kept x yes)"
is "order and repeats are kept" "b2 a1 b2 " "$(kept b2 a1 b2)"
is "nothing is left" "" "$(kept the)"
finish
