. tests/check.sh

is "stop words are sorted, each once" "$(LC_ALL=C sort -u data/stopwords.txt)" "$(cat data/stopwords.txt)"
is "stop words are lower case" "" "$(grep "[^a-z']" data/stopwords.txt)"
finish
