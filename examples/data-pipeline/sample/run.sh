# Runs the pipeline: data/ -> out/revenue.csv
set -e
mkdir -p out
for step in steps/*.sh; do sh "$step"; done
