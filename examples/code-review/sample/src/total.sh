# Prints the sum of the amounts (second column) of a CSV file without its header.
tail -n +2 "$1" | cut -d, -f2 | awk '{ sum += $1 } END { printf "%.2f\n", sum }'
