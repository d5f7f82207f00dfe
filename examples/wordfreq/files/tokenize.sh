#!/bin/sh
# Text to words: lower case, one a line. An apostrophe between letters belongs to the word.
LC_ALL=C tr 'A-Z' 'a-z' | LC_ALL=C tr -cs "a-z'" '\n' | sed -e "s/^'*//" -e "s/'*$//" -e '/^$/d'
