. tests/check.sh

words() {
    printf '%s\n' "$1" | sh lib/tokenize.sh | tr '\n' ' '
}

is "words in lower case" "the quick fox " "$(words 'The  QUICK, fox!')"
is "an apostrophe inside a word" "don't say so " "$(words "Don't say 'so'")"
is "digits and signs separate" "a b c " "$(words 'a1b--c')"
is "nothing" "" "$(words '  42 ')"
finish
