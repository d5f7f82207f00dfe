# Sourced by the tests.

count=0
failed=0

# is WHAT EXPECTED ACTUAL
is() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
        return
    fi
    failed=$((failed + 1))
    echo "not ok $count - $1"
    printf '%s\n' "$2" | sed 's/^/#   expected: /'
    printf '%s\n' "$3" | sed 's/^/#        got: /'
}

# The last line of a test.
finish() {
    echo "$count tests, $failed failed"
    [ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
}
