#!/bin/sh
# The most frequent words: sh wordfreq.sh [-n N] [FILE...]
lib=$(dirname "$0")/lib

usage() {
    echo "usage: sh wordfreq.sh [-n N] [FILE...]" >&2
    exit 2
}

limit=10
while getopts n: option; do
    case $option in
        n) limit=$OPTARG ;;
        *) usage ;;
    esac
done
shift $((OPTIND - 1))
case $limit in
    '' | *[!0-9]* | 0) usage ;;
esac
for file in "$@"; do
    if [ ! -f "$file" ] || [ ! -r "$file" ]; then
        echo "wordfreq: cannot read $file" >&2
        exit 1
    fi
done

cat -- "$@" | sh "$lib/tokenize.sh" | sh "$lib/rank.sh" "$limit" | sh "$lib/report.sh"
