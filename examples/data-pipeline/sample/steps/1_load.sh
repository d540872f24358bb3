# Loads the files into a database.
rm -f out/pipeline.db
sqlite3 out/pipeline.db '.mode csv' '.import data/orders.csv orders' '.import data/customers.csv customers'
