#!/bin/bash
# distill schema: the JSON Schema of a config, held against a validator that knows draft-07, and against the program:
# of every key, both refuse the same values.
. tests/e2e/lib.sh

run schema
check "schema prints JSON alone" test "$status" -eq 0 -a ! -s "$T/err"
cp "$T/out" "$T/schema.json"
check "of draft-07" test "$(value "$T/schema.json" '$schema')" = '"http://json-schema.org/draft-07/schema#"'
check "the same every time" cmp -s "$T/schema.json" <("$DISTILL" schema)
check "a key has type, range, default and sentence" test "$("$PROBE" json "$T/schema.json" properties.teacher.properties.train.properties.lr |
    tr -d ' \n')" = \
    '{"default":0.001,"description":"StepsizeofAdamatitslargest.","exclusiveMinimum":0.0,"maximum":1.0,"type":"number"}'
check "a key of a kind likewise" grep -q '"bins":{"default":8,.*"maximum":64' <("$PROBE" json "$T/schema.json" definitions)
"$DISTILL" init moons -o "$T/moons.yaml" >/dev/null 2>&1
check "init writes it beside its config" cmp -s "$T/distill.schema.json" "$T/schema.json"

for python in python3 /usr/bin/python3; do
    $python -c 'import jsonschema, yaml; jsonschema.Draft7Validator' 2>/dev/null && break
    python=
done
[ -n "$python" ] || { skip "the schema against a validator" "no python3-jsonschema, or no python3-yaml"; exit; }

cat >"$T/validate.py" <<'PY'
import json, re, subprocess, sys
import jsonschema, yaml

program, work = sys.argv[1:3]
schema = json.load(open(work + "/schema.json"))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
print("ok it is a schema")


class Core(yaml.SafeLoader):  # scalars as YAML 1.2 has them: 1e-3 is a number, yes a word
    yaml_implicit_resolvers = {}


for tag, pattern, first in (
        ("bool", r"^(true|false)$", "tf"), ("null", r"^(~|null|)$", ["~", "n", ""]), ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
        ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", "-+.0123456789")):
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), list(first))

for path in sys.argv[3:]:
    wrong = [e.message[:150] for e in validator.iter_errors(yaml.load(open(path), Core))]
    print(f"not ok {path} validates: {wrong[0]}" if wrong else f"ok {path} validates")


def resolve(s):
    return schema["definitions"][s["$ref"][len("#/definitions/"):]] if "$ref" in s else s


def is_choice(s):
    return "else" in s and "kind" in s["else"].get("properties", {})


# Objects whose keys are tried together: (path, what builds a config around it, {key: schema}).
groups, seen = [], set()


def walk(path, build, s):
    leaves = {}
    for key, of in s["properties"].items():
        items = of.get("items", {}) if of.get("type") == "array" else {}
        if key == "kind" or (list(of)[:1] == ["anyOf"] and path and "kind" in s["properties"] and "description" not in of):
            continue  # beside a choice: tried where it is at home
        at = path + [key]
        if "properties" in of and not is_choice(of) and "kind" not in of["properties"]:
            walk(at, lambda v, key=key: build({key: v}), of)
            continue
        leaves[key] = of
        inner, wrap = (items, lambda v: [v]) if is_choice(items) else (of, lambda v: v)
        if is_choice(inner):
            for case in inner["else"]["allOf"][:-1]:
                name = case["then"]["$ref"]
                if name in seen:
                    continue
                seen.add(name)
                kind = case["if"]["properties"]["kind"]["const"]
                walk(at + (["0"] if inner is items else []),
                     lambda v, key=key, kind=kind, wrap=wrap: build({key: wrap({"kind": kind, **v})}), resolve(case["then"]))
    keys = list(leaves)
    for i in range(0, len(keys), 18):  # the program shows twenty errors
        groups.append((path, build, {k: leaves[k] for k in keys[i:i + 18]}))


walk([], lambda v: v, schema)

USUAL = [-1, 0, 0.5, 3, "auto", "no such word", True, None, [], [1], [0.5, -3], {}, {"a": 1}]


def edges(s):
    out = []
    for one in [s] + s.get("anyOf", []):
        whole = one.get("type") == "integer"
        for end, sign in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", -1), ("exclusiveMaximum", 1)):
            if end in one and abs(one[end]) < 1e15:
                out += [one[end], one[end] + sign * (1 if whole else 0.25)]
        out += one.get("enum", [])[:2]
    return out


def merge(build, values):
    doc = build(values)
    return doc


def refused_by_program(doc):
    with open(work + "/c.yaml", "w") as to:
        json.dump(doc, to)
    said = subprocess.run([program, "check", work + "/c.yaml"], capture_output=True, text=True)
    lines = [line for line in said.stderr.splitlines() if re.search(r"error: .*\[E10[1-9]\]$", line)]
    return said.returncode, lines


def check_group(path, build, leaves):
    """How many values were tried, and the first on which the two differ."""
    lists = {k: USUAL + edges(s) for k, s in leaves.items()}
    tried = 0
    for i in range(max(map(len, lists.values()))):
        values = {k: v[i] for k, v in lists.items() if i < len(v)}
        doc = build(values)
        code, lines = refused_by_program(doc)
        errors = [[str(p) for p in e.absolute_path] for e in validator.iter_errors(doc)]
        for key, value in values.items():
            at = path + [key]
            schema_no = any(e[:len(at)] == at for e in errors)
            dotted = re.escape(".".join(at))
            program_no = any(re.search(rf"(error: |item \d+ of | in ){dotted}([. ]|$)", line) for line in lines)
            if ".".join(at) in ("data.path", "export.file"):
                program_no = program_no and not any("wants a .npy" in line or "ends in .npy" in line for line in lines)
            tried += 1
            if schema_no != program_no or (program_no and code != 78):
                return tried, f"{'.'.join(at)} = {json.dumps(value)}: schema {schema_no}, program {program_no} ({code}): {lines[:2]}"
    return tried, None


total = 0
for path, build, leaves in groups:
    tried, differ = check_group(path, build, leaves)
    total += tried
    name = ".".join(path) or "the top"
    print(f"not ok {name}: {differ}" if differ else f"ok schema and program agree on {len(leaves)} keys of {name}")
print(f"ok {total} values were tried" if total > 2500 and len(seen) > 40 else f"not ok only {total} values of {len(seen)} kinds were tried: too few")
PY
"$python" "$T/validate.py" "$DISTILL" "$T" configs/*.yaml configs/*/*.yaml "$T/moons.yaml" >"$T/python.log" 2>&1
status=$?
cat "$T/python.log"
check "the validator came to its end" test "$status" -eq 0
failures=$((failures + $(grep -c '^not ok ' "$T/python.log" || true)))
