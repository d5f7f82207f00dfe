. tests/check.sh

is "standard input" "oak  2  ####################
ash  1  ##########" "$(echo 'Oak, ash, oak.' | sh wordfreq.sh)"
is "a limit" "oak  2  ####################" "$(echo 'Oak, ash, oak.' | sh wordfreq.sh -n 1)"
sh wordfreq.sh nowhere.txt 2> /dev/null
is "a file that is not there" 1 $?
sh wordfreq.sh -n many 2> /dev/null < /dev/null
is "a bad limit" 2 $?
sh wordfreq.sh -x 2> /dev/null < /dev/null
is "a bad option" 2 $?
is "no words" "" "$(echo 42 | sh wordfreq.sh)"
finish
