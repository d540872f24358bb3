def _error: error;
def error: if . == null then empty else _error end;
def error(f): f | error;
def _limit($n; f): limit($n; f);
def limit($n; f): if $n < 0 then f else _limit($n; f) end;
def test(re): test(re; null);
def match(re): match(re; null);
def capture(re): capture(re; null);
def _capture: map(select(.name) | {(.name): .string}) | add + {};
def capture(re; flags): matches(re; flags)[] | _capture;
def _flags($f): if $f == null then "g" else "g" + $f end;
def scan(re; flags): (flags | _flags(.)) as $f | matches(re; $f)[] | if length > 1 then [.[1:][].string] else .[0].string end;
def splits(re; flags): split_(re; flags | _flags(.))[];
def splits(re): splits(re; null);
def split(re; flags): [splits(re; flags)];
def sub(re; f; flags): def handle: if type == "array" then _capture | f else . end;
  reduce split_matches(re; flags)[] as $x (""; . + ($x | handle));
def sub(re; f): sub(re; f; null);
def gsub(re; f; flags): sub(re; f; flags | _flags(.));
def gsub(re; f): sub(re; f; "g");
def gamma: lgamma;
def get_search_list: ["~/.jq", "$ORIGIN/../lib/jq", "$ORIGIN/lib"];
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdate: fromdateiso8601;
def date: todate;
def dateadd(u; n): . + n;
def datesub(u; n): . - n;
def todateiso8601: todate;
def tostring: if type == "string" then . else tojson end;
def isboolean: type == "boolean";
def isnumber: type == "number";
def isstring: type == "string";
def isarray: type == "array";
def isobject: type == "object";
def values: select(. != null);
def nulls: select(. == null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type | . == "array" or . == "object");
def scalars: select(type | . != "array" and . != "object");
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
def index($i): indices($i) | .[0];
def rindex($i): indices($i) | .[-1:][0];
def getpath($path): if $path | type != "array" then error("Path must be specified as an array") else . end | reduce $path[] as $p (.; .[$p]);
def delpaths($paths): _delete_paths($paths);
def del(f): _delete_paths([path(f)]);
def to_entries: [keys_unsorted[] as $k | {key: $k, value: .[$k]}];
def from_entries: reduce .[] as $x ({}; . + {
    ($x | if .key == false then "false"
      else (.key // .k // .name // .Name // .Key // .K // null) end
      | if type == "string" then . elif type == "null" then "null" else tojson end):
    ($x | if has("value") then .value elif has("Value") then .Value else (.v // .V) end)});
def with_entries(f): to_entries | map(f) | from_entries;
def map_values(f): .[] |= f;
def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f; w;
def join($s): reduce .[] as $x (null;
    (if . == null then "" else . + $s end) + ($x | if . == null then "" elif type == "string" then . else
      (if type == "number" or type == "boolean" then tojson else . end) end)) // "";
def _flatten($d): reduce .[] as $x ([]; if ($x|type) == "array" and $d > 0 then . + ($x | _flatten($d-1)) else . + [$x] end);
def flatten: _flatten(1e9);
def flatten($depth): if $depth < 0 then error("flatten depth must not be negative") else _flatten($depth) end;
def paths: path(..) | select(length > 0);
def paths(f): . as $in | paths | select(. as $p | $in | getpath($p) | f);
def leaf_paths: paths(scalars);
def add: reduce .[] as $x (null; . + $x);
def range($n): range(0; $n; 1);
def min: min_by(.);
def max: max_by(.);
def unique_by(f): [group_by(f)[] | .[0]];
def unique: unique_by(.);
def ascii: [.] | implode;
def transpose: if . == [] then [] else (map(length) | max) as $n | [range(0; $n; 1) as $i | map(.[$i])] end;
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;
def combinations($n): . as $d | [range(0; $n; 1)] | map($d) | combinations;
def isvalid(f): try (f | true) catch false;
def halt_error: halt_error(5);
def recurse_down: recurse;
def tostream: path(def r: (.[]?|r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p+$q]);
def fromstream(f): {x: null, e: false} as $init
  | foreach f as $i ($init;
      if .e then $init else . end
      | if $i | length == 2
        then setpath(["e"]; $i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1])
        else setpath(["e"]; $i[0] | length == 1) end;
      if .e then .x else empty end);
def truncate_stream(stream): . as $n | null | stream | . as $input
  | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def nth($n): .[$n];
def nth($n; f): if $n < 0 then error("Out of bounds negative array index") else last(limit($n + 1; f)) end;
def toarray: if type == "array" then . else [.] end;
def abs: if type == "number" and . < 0 then -. else . end;
def pick(pathexps): . as $top | reduce path(pathexps) as $p (null; setpath($p; $top | getpath($p)));
def have_literal_numbers: true;
def have_decnum: false;
def debug(msg): (msg | debug | empty), .;
def scan($re): scan($re; null);
def isinfinite: . == infinite or . == -infinite;
def isnan: _isnan;
def isnormal: (. == 0 or isnan or isinfinite) | not;
def isfinite: isinfinite | not;
def finites: select(isinfinite or isnan | not);
def normals: select(isnormal);
def @json: tojson;
def @text: tostring;
def @csv: if type != "array" then error("\(type) (\(tojson)) cannot be csv-formatted, only an array can be") else
  map(if type == "number" then tojson elif type == "boolean" then tojson elif type == "null" then ""
    elif type == "string" then "\"" + (split("\"") | join("\"\"")) + "\""
    else error("\(type) (\(tojson)) is not valid in a csv row") end) | join(",") end;
def @tsv: if type != "array" then error("\(type) (\(tojson)) cannot be tsv-formatted, only an array can be") else
  map(if type == "number" or type == "boolean" then tojson elif type == "null" then ""
    elif type == "string" then (split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n") | split("\r") | join("\\r"))
    else error("\(type) (\(tojson)) is not valid in a tsv row") end) | join("\t") end;
def @sh: def q: if type == "string" then "'" + (split("'") | join("'\\''")) + "'"
    elif type == "array" or type == "object" then error("\(type) (\(tojson)) can not be escaped for shell") else tojson end;
  if type == "array" then map(q) | join(" ") else q end;
