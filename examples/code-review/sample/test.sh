# Fails if a total is wrong.
printf 'name,amount\na,1.50\nb,2.25\n' > /tmp/orders.csv
[ "$(sh src/total.sh /tmp/orders.csv)" = 3.75 ] && echo passed || { echo FAILED; exit 1; }
