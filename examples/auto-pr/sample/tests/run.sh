# Runs every test; fails if one of them does.
cd "$(dirname "$0")/.." || exit 1
failed=0
check() {
  got="$(printf '%s' "$2" | sh src/words.sh)"
  if [ "$got" = "$3" ]; then
    echo "ok   $1"
  else
    echo "FAIL $1: expected <$3>, got <$got>"
    failed=1
  fi
}
check "the most frequent word comes first" "b a b" "2 b
1 a"
check "words of the same count come in order" "b a" "1 a
1 b"
check "case makes no difference" "The the THE end" "3 the
1 end"
check "no words, no lines" "" ""
exit $failed
