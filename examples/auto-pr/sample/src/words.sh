# Counts how often each word of the standard input occurs: "COUNT WORD" a line, the most frequent first, words of the same
# count in order of the alphabet.
tr -cs '[:alpha:]' '\n' | grep . | sort | uniq -c | sort -k1,1n -k2 | sed 's/^ *//'
