#!/bin/sh
# Reviews what HEAD adds to BASE: review.sh BASE [HEAD], run in the repository.
# Exit status: 0 approved, 1 rejected, anything else no verdict. SINEW names the program (default: sinew), and
# SINEW_RUN_OPTIONS options of its `run`, as --data.
set -eu
base=${1:?usage: review.sh BASE [HEAD]}
head=${2:-HEAD}
here=$(cd "$(dirname "$0")" && pwd)
cd "$(git rev-parse --show-toplevel)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The patch lies beside the repository: in it, a link of the change could lead what is written elsewhere. The files come
# through an index, since `git archive` leaves out what the change's own attributes say.
mkdir -p "$folder/work/repository"
GIT_INDEX_FILE="$folder/index" git read-tree "$head"
GIT_INDEX_FILE="$folder/index" git checkout-index --all --prefix="$folder/work/repository/"
git diff "$base...$head" > "$folder/work/change.patch"
if ! "${SINEW:-sinew}" run "$here/reviewer.yaml" --workdir "$folder/work" ${SINEW_RUN_OPTIONS:-} --json \
  -m "Review the change in change.patch." < /dev/null > "$folder/events"
then
  echo "the review did not come to its end" >&2
  exit 2
fi
python3 - "$folder/events" <<'PY'
import json, sys

said = ""
for line in open(sys.argv[1]):
    event = json.loads(line)
    if event["type"] == "agent.message":
        said = "".join(block.get("text", "") for block in event["content"])
    elif event["type"] == "agent.tool_use":
        said = ""
try:
    answer = json.loads(said[said.index("{"):said.rindex("}") + 1])
    findings = list(answer["findings"])
    lines = ["{file}:{line}: {severity}: {text}".format(**finding) for finding in findings]
    # A finding that is not said to be low rejects, whatever the verdict says.
    is_rejected = any(finding["severity"] != "low" for finding in findings)
    word = {"approve": "reject" if is_rejected else "approve", "reject": "reject"}[answer["verdict"]]
except (KeyError, TypeError, ValueError):
    print("the reviewer gave no verdict:", " ".join(said.split()) or "it said nothing", file=sys.stderr)
    sys.exit(2)
for line in lines:
    print(" ".join(line.split()))
print(word)
sys.exit(0 if word == "approve" else 1)
PY
