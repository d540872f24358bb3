#!/bin/sh
# Reviews the change between two commits of a repository: review.sh BASE [HEAD], run in the repository.
# Exit status: 0 approved, 1 rejected, 2 no verdict. SINEW names the program (default: sinew), and SINEW_RUN_OPTIONS
# options of its `run`, as --url.
set -eu
base=${1:?usage: review.sh BASE [HEAD]}
head=${2:-HEAD}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder" "$folder.log"' EXIT
git archive "$head" | tar -x -C "$folder"
git diff "$base" "$head" > "$folder/change.patch"
"${SINEW:-sinew}" run "$here/reviewer.yaml" --workdir "$folder" ${SINEW_RUN_OPTIONS:-} --json \
  -m "Review the change in change.patch." > "$folder.log" || true
python3 - "$folder.log" <<'PY'
import json, sys

said = ""
for line in open(sys.argv[1]):
    event = json.loads(line)
    if event["type"] == "agent.message":
        said = "".join(block.get("text", "") for block in event["content"])
try:
    verdict = json.loads(said[said.index("{"):said.rindex("}") + 1])
    word = verdict["verdict"]
except (ValueError, KeyError):
    print("the reviewer gave no verdict:", said or "it said nothing", file=sys.stderr)
    sys.exit(2)
for finding in verdict.get("findings", []):
    print("{file}:{line}: {severity}: {text}".format(**{"file": "?", "line": 0, "severity": "low", "text": "", **finding}))
print(word)
sys.exit({"approve": 0, "reject": 1}.get(word, 2))
PY
