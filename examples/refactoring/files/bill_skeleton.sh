#!/bin/sh
# Adds up a bill: lines of name,quantity,price, prices in cents.
here=$(dirname "$0")
. "$here/lib/money.sh"
. "$here/lib/rows.sh"
[ $# -eq 1 ] && [ -r "$1" ] || { echo "usage: sh bill.sh FILE" >&2; exit 2; }
total=0
while IFS=, read -r name quantity price; do
    case $name in '' | '#'*) continue ;; esac
    sum=$((quantity * price))
    total=$((total + sum))
    printf '%-12s %3d x %6s  %8s\n' "$name" "$quantity" \
        "$((price / 100)).$(printf '%02d' $((price % 100)))" "$((sum / 100)).$(printf '%02d' $((sum % 100)))"
done < "$1"
tax=$((total * 19 / 100))
printf '%-12s %12s  %8s\n' tax '' "$((tax / 100)).$(printf '%02d' $((tax % 100)))"
total=$((total + tax))
printf '%-12s %12s  %8s\n' total '' "$((total / 100)).$(printf '%02d' $((total % 100)))"
