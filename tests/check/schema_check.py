#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds a JSON document to a JSON Schema.

schema_check.py SCHEMA FILE            the document in a file ("-": standard input)
schema_check.py SCHEMA PROGRAM ARG...  what the program prints; any exit status of the program is accepted
schema_check.py --self-test            a check that cannot fail proves nothing: show that this one can

Knows the words that report.schema.json uses and refuses others. Where the jsonschema module is installed, its
answer is asked for as well.
"""
import json
import re
import subprocess
import sys

TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
}
WORDS = {"$schema", "$id", "$defs", "$ref", "title", "description", "type", "enum", "const", "required",
         "properties", "additionalProperties", "items", "minimum", "maximum", "pattern", "anyOf"}


def errors(value, schema, root, where="$"):
    unknown = set(schema) - WORDS
    if unknown:
        yield f"{where}: the schema uses {sorted(unknown)}, which this check does not know"
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        yield from errors(value, target, root, where)
    if "anyOf" in schema and all(list(errors(value, one, root, where)) for one in schema["anyOf"]):
        yield f"{where}: fits none of anyOf"
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[t](value) for t in types):
        yield f"{where}: {value!r:.60} is not of type {'/'.join(types)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r:.60} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r:.60} is not {schema['const']!r}"
    if TYPES["number"](value):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield f"{where}: {value} is out of range"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r:.60} does not match {schema['pattern']}"
    if isinstance(value, dict):
        for key in schema.get("required", []):
            if key not in value:
                yield f"{where}: {key} is missing"
        properties = schema.get("properties", {})
        for key, one in value.items():
            if key in properties:
                yield from errors(one, properties[key], root, f"{where}.{key}")
            elif schema.get("additionalProperties", True) is False:
                yield f"{where}: {key} is not in the schema"
    if isinstance(value, list) and "items" in schema:
        for i, one in enumerate(value):
            yield from errors(one, schema["items"], root, f"{where}[{i}]")


def check(document, schema):
    found = list(errors(document, schema, schema))
    try:
        import jsonschema
    except ImportError:
        return found
    jsonschema.validators.validator_for(schema).check_schema(schema)
    validator = jsonschema.validators.validator_for(schema)(schema)
    return found + [f"{e.json_path}: {e.message:.200}" for e in validator.iter_errors(document)]


def self_test():
    schema = {"type": "object", "additionalProperties": False, "required": ["a"],
              "properties": {"a": {"type": ["integer", "null"], "minimum": 0}, "b": {"enum": ["x", None]}}}
    good = [{"a": 1}, {"a": None, "b": None}]
    bad = [{}, {"a": -1}, {"a": True}, {"a": "1"}, {"a": 1, "c": 2}, {"a": 1, "b": "y"}, []]
    wrong = [d for d in good if check(d, schema)] + [d for d in bad if not check(d, schema)]
    print(f"self-test: {len(good)} good and {len(bad)} bad documents, judged wrongly: {wrong}")
    return 1 if wrong else 0


def main(args):
    if args == ["--self-test"]:
        return self_test()
    if len(args) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(args[0], encoding="utf-8") as file:
        schema = json.load(file)
    if args[1] == "-":
        text = sys.stdin.read()
    elif len(args) == 2:
        with open(args[1], encoding="utf-8") as file:
            text = file.read()
    else:
        text = subprocess.run(args[1:], stdout=subprocess.PIPE, check=False).stdout.decode("utf-8")
    found = check(json.loads(text), schema)
    for line in found[:20]:
        print(line)
    print(f"{len(text)} bytes, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
