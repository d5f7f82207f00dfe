. ./lib/money.sh
is "cents have two digits" 0.05 "$(money 5)"
is "nothing" 0.00 "$(money 0)"
is "more than a hundred" 1308.00 "$(money 130800)"
