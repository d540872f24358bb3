# Every order that came in is in the result once.
came=$(tail -n +2 data/orders.csv | awk -F, '{ sum += $4 } END { print NR, sum }')
went=$(tail -n +2 out/revenue.csv | tr -d '\r' | awk -F, '{ orders += $2; sum += $3 } END { print orders, sum }')
[ "$came" = "$went" ] || { echo "orders and cents that came in: $came, in the result: $went"; exit 1; }
echo "all $came"
