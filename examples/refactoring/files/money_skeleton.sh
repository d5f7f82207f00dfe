# money CENTS: the amount with two decimals.
money() {
    echo "money: not written yet" >&2
    return 1
}
