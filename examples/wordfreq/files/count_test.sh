. tests/check.sh

counted() {
    printf '%s\n' "$@" | sh lib/count.sh | tr '\t\n' ': '
}

is "equal words are counted" "2:ash 1:oak " "$(counted ash oak ash)"
is "the order is that of the words" "1:ash 1:elm 1:oak " "$(counted oak ash elm)"
is "nothing" "" "$(sh lib/count.sh < /dev/null)"
finish
