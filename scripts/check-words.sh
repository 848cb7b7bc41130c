#!/bin/sh
# Report words with a clearer equivalent: CONTRIBUTING.md lists both.
set -eu
cd "$(dirname "$0")/.."

WORDS='mend|mended|anew|the classic|is away|told to|goes on by itself|for so long'

status=0
# Not in lock files, nor in the list of common passwords.
git grep --untracked --line-number --ignore-case --word-regexp --extended-regexp "$WORDS" -- . \
  ':!scripts/check-words.sh' ':!scripts/native/test_check_words.py' ':!CONTRIBUTING.md' ':!*lock*' ':!*.txt' || status=$?
case $status in
  0) echo "check-words.sh: replace the words above; CONTRIBUTING.md says by which." >&2 && exit 1 ;;
  1) ;; # git grep found nothing.
  *) exit "$status" ;;
esac
