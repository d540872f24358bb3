# Sums by month.
sqlite3 -csv -header out/pipeline.db \
  'select month, count(*) as orders, sum(cents) as cents from sales group by month order by month;' > out/revenue.csv
