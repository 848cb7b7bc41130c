#!/bin/sh
# Reports words that have a clearer equivalent. CONTRIBUTING.md lists the words and their equivalents.
set -eu
cd "$(dirname "$0")/.."

WORDS='mend|mended|anew|the classic|is away|told to|goes on by itself|for so long'

status=0
# Skip lock files and the list of common passwords.
git grep --untracked --line-number --ignore-case --word-regexp --extended-regexp "$WORDS" -- . \
  ':!scripts/check-words.sh' ':!scripts/native/test_check_words.py' ':!CONTRIBUTING.md' ':!*lock*' ':!*common_passwords.txt' || status=$?
case $status in
  0) echo "check-words.sh: replace the words above; CONTRIBUTING.md lists clearer ones." >&2 && exit 1 ;;
  1) ;; # git grep found none of the words.
  *) exit "$status" ;;
esac
