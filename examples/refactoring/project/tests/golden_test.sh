# The output of the whole program, byte for byte.
for bill in tests/golden/*.csv; do
    is "$bill" "$(cat "${bill%.csv}.txt")" "$(sh bill.sh "$bill")"
done
is "a file that is not there" 2 "$(sh bill.sh tests/golden/none.csv 2>/dev/null; echo $?)"
