. ./lib/rows.sh
is "an entry and its sum" "$(printf 'apples\t3\t45\t135')" "$(rows tests/golden/small.csv | head -n 1)"
is "comments and empty lines are no entries" 3 "$(rows tests/golden/small.csv | wc -l | tr -d ' ')"
