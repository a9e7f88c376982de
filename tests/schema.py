"""usage: schema.py COHORT SOURCE_DIR

Validates every shipped scenario and its resolved form against `cohort schema`, checks that the
schema notices mistakes, and that scenarios/schema.json is what `cohort schema` prints."""

import glob
import json
import subprocess
import sys

import jsonschema
import yaml

cohort, source = sys.argv[1:]
failed = False


def fail(*words):
    global failed
    failed = True
    print(*words)


def run(*arguments):
    return subprocess.run([cohort, *arguments], check=True, capture_output=True, text=True).stdout


schema_text = run("schema")
schema = json.loads(schema_text)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)

with open(source + "/scenarios/schema.json", encoding="utf-8") as file:
    if file.read() != schema_text:
        fail("scenarios/schema.json is out of date: cohort schema > scenarios/schema.json")

files = glob.glob(source + "/scenarios/**/*.yaml", recursive=True)
files += glob.glob(source + "/tests/good_scenarios/*.yaml")
if len(files) < 6:
    fail("too few scenarios:", files)
for path in files:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if "/scenarios/" in path and "/tests/" not in path:
        if not text.startswith("# yaml-language-server: $schema="):
            fail(path, "does not name its schema in its first line")
    for name, content in (path, text), (path + " (resolved)", run("check", "--resolved", path)):
        for error in validator.iter_errors(yaml.safe_load(content)):
            fail(name, list(error.path), error.message)

# A schema that takes everything would pass all of the above.
wrong = [
    {"topics": {"t": {}}},
    {"scenario": 1, "topics": {"t": {"partitions": "six"}}},
    {"scenario": 1, "topics": {"t": {"partition": 6}}},
    {"scenario": 1, "topics": {"t": {}}, "duration": 600},
    {"scenario": 1, "topics": {"t": {}}, "groups": {"g": {"config": {"sesion.timeout.ms": 1}}}},
    {"scenario": 1, "topics": {"t": {}}, "groups": {"g": {"commit": {"mode": "often"}}}},
    {"scenario": 1, "topics": {"t": {}}, "timeline": [{"at": "1s", "crush": "g-1"}]},
]
for document in wrong:
    if validator.is_valid(document):
        fail("the schema accepts", document)

sys.exit(failed)
