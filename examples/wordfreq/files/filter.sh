#!/bin/sh
# Drops stop words and words of one letter; keeps the order.
stopwords=$(dirname "$0")/../data/stopwords.txt
awk 'NR == FNR { stop[$0]; next } length($0) > 1 && !($0 in stop)' "$stopwords" -
