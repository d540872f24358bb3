# Puts the country to each order.
sqlite3 out/pipeline.db 'create table sales as
  select orders.id, substr(date, 1, 7) as month, country, cents
  from orders join customers on orders.customer = customers.id;'
