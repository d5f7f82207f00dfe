. tests/check.sh

# repeat COUNT WORD: the word that often
repeat() {
    awk -v count="$1" -v word="$2" 'BEGIN { for (i = 0; i < count; i++) print word }'
}

ranked() {
    sh lib/rank.sh "$@" | tr '\t\n' ': '
}

is "the greatest count first" "3:oak 2:ash " "$({ repeat 2 ash; repeat 3 oak; } | ranked)"
is "counts are numbers" "10:oak 9:ash " "$({ repeat 9 ash; repeat 10 oak; } | ranked)"
is "equal counts by word" "1:ash 1:elm 1:oak " "$(printf '%s\n' oak elm ash | ranked)"
is "at most N" "2:oak " "$({ repeat 2 oak; repeat 1 ash; } | ranked 1)"
is "stop words do not rank" "1:oak " "$(printf '%s\n' the the oak | ranked)"
finish
