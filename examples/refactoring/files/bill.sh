#!/bin/sh
# Adds up a bill: lines of name,quantity,price, prices in cents.
here=$(dirname "$0")
. "$here/lib/money.sh"
. "$here/lib/rows.sh"

# line NAME CENTS: one of the lines below the entries.
line() {
    printf '%-12s %12s  %8s\n' "$1" '' "$(money "$2")"
}

[ $# -eq 1 ] && [ -r "$1" ] || { echo "usage: sh bill.sh FILE" >&2; exit 2; }
tab=$(printf '\t')
rows "$1" | while IFS=$tab read -r name quantity price sum; do
    printf '%-12s %3d x %6s  %8s\n' "$name" "$quantity" "$(money "$price")" "$(money "$sum")"
done
net=$(rows "$1" | awk -F '\t' '{ net += $4 } END { print net + 0 }')
tax=$((net * 19 / 100))
line tax "$tax"
line total $((net + tax))
