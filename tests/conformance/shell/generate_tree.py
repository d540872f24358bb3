#!/usr/bin/env python3
"""Writes `trees/project.yaml`, the source tree that the sessions work in.

The same tree on every run and every machine: all choice comes from one generator with a fixed start. Change it only
together with a new recording of all cases that name the tree.
"""

import json
import pathlib

import case_file

OUTPUT = pathlib.Path(__file__).resolve().parent / "trees" / "project.yaml"
NOUNS = "account order invoice item basket user session token report event queue worker cache index price stock".split()
VERBS = "load store parse render send check merge sort count build".split()
ADJECTIVES = "quick late empty large shared stale local remote strict lazy".split()
PEOPLE = "Ada Linus Grace Edsger Barbara Ken Margaret Donald".split()


class Choice:
    """A small linear congruential generator."""

    def __init__(self, start):
        self.state = start

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit

    def of(self, values):
        return values[self.below(len(values))]


def python_module(choice, noun):
    lines = ['"""The %s of the shop."""' % noun, "", "import os" if choice.below(2) else "import sys"]
    lines += ["import logging", "", "log = logging.getLogger(__name__)", ""]
    if choice.below(3) == 0:
        lines += ["%s_LIMIT = %d" % (noun.upper(), 10 * (1 + choice.below(50))), ""]
    lines += ["", "class %s:" % noun.capitalize(), "    def __init__(self, name, size=0):"]
    lines += ["        self.name = name", "        self.size = size", ""]
    for verb in sorted({choice.of(VERBS) for _ in range(3)}):
        other = choice.of(NOUNS)
        lines += ["    def %s(self, %s):" % (verb, other)]
        if choice.below(3) == 0:
            lines.append("        # TODO(%s): %s the %s %s" % (choice.of(PEOPLE).lower(), verb, choice.of(ADJECTIVES), other))
        if choice.below(4) == 0:
            lines.append('        print("debug", %s)' % other)
        lines += ['        log.info("%s %s %%s", self.name)' % (verb, other), "        return self.size + %d" % choice.below(100), ""]
    if choice.below(4) == 0:
        lines += ["", "def legacy_%s():" % noun, '    raise NotImplementedError("FIXME")', ""]
    return "\n".join(lines)


def rust_module(choice, noun):
    lines = ["//! The %s of the engine." % noun, "", "use std::collections::HashMap;", ""]
    lines += ["#[derive(Debug, Clone)]", "pub struct %s {" % noun.capitalize(), "    pub name: String,"]
    lines += ["    size: %s," % choice.of(["u32", "u64", "usize"]), "}", "", "impl %s {" % noun.capitalize()]
    for verb in sorted({choice.of(VERBS) for _ in range(2)}):
        lines += ["    pub fn %s(&self) -> Option<u64> {" % verb]
        lines += ["        // TODO: %s %s" % (verb, choice.of(ADJECTIVES))] if choice.below(4) == 0 else []
        lines += ["        self.lookup.get(&%d).unwrap()" % choice.below(9)] if choice.below(3) == 0 else ["        None"]
        lines += ["    }"]
    lines += ["}"]
    if choice.below(2):
        lines += ["", "#[cfg(test)]", "mod tests {", "    #[test]", "    fn %s_is_%s() {}" % (noun, choice.of(ADJECTIVES)), "}"]
    return "\n".join(lines) + "\n"


def script_module(choice, noun):
    lines = ["// %s.js" % noun]
    for other in sorted({choice.of(NOUNS) for _ in range(2)}):
        lines.append("import { %s } from './%s.js';" % (other, other))
    lines.append("")
    for verb in sorted({choice.of(VERBS) for _ in range(2)}):
        lines += ["export function %s%s(input) {" % (verb, noun.capitalize())]
        lines += ["  console.log('%s', input);" % verb] if choice.below(3) == 0 else []
        lines += ["  %s total = %d;" % (choice.of(["const", "let", "var"]), choice.below(1000)), "  return total;", "}"]
    return "\n".join(lines) + "\n"


def access_log(choice, day, count):
    lines = []
    second = 0
    for _ in range(count):
        second += 1 + choice.below(90)
        status = choice.of([200] * 12 + [304, 301, 404, 404, 500, 503])
        address = "10.0.%d.%d" % (choice.below(3), 1 + choice.below(20))
        path = choice.of(["/", "/login", "/api/%s" % choice.of(NOUNS), "/api/%s/%d" % (choice.of(NOUNS), choice.below(40)), "/static/app.js"])
        method = choice.of(["GET"] * 5 + ["POST", "DELETE"])
        time = "%02d:%02d:%02d" % (second // 3600 % 24, second // 60 % 60, second % 60)
        lines.append('%s - - [%02d/Mar/2024:%s +0000] "%s %s HTTP/1.1" %d %d' % (address, day, time, method, path, status, choice.below(20000)))
    return "\n".join(lines) + "\n"


def service_log(choice, name, count):
    lines = []
    for number in range(count):
        level = choice.of(["INFO"] * 6 + ["DEBUG"] * 3 + ["WARN"] * 2 + ["ERROR"])
        text = "%s %s %s id=%d took=%dms" % (choice.of(VERBS), choice.of(ADJECTIVES), choice.of(NOUNS), choice.below(500), choice.below(900))
        lines.append("2024-03-%02dT%02d:%02d:%02dZ %s [%s] %s" % (1 + number * 5 // count, choice.below(24), choice.below(60), choice.below(60), level, name, text))
        if level == "ERROR" and choice.below(2):
            lines += ["Traceback (most recent call last):", '  File "app/%s.py", line %d, in %s' % (choice.of(NOUNS), choice.below(80), choice.of(VERBS)), "ValueError: bad %s" % choice.of(NOUNS)]
    return "\n".join(lines) + "\n"


def sources(choice, files):
    for part in ("app", "app/models", "app/services", "app/api"):
        files[part + "/__init__.py"] = ""
        for noun in NOUNS:
            files["%s/%s.py" % (part, noun)] = python_module(choice, noun)
    for noun in NOUNS:
        files["tests/test_%s.py" % noun] = "from app.models.%s import %s\n\n\ndef test_%s():\n    assert %s('x').size == 0\n" % (noun, noun.capitalize(), noun, noun.capitalize())
    for crate in ("core", "store", "wire"):
        files["engine/%s/Cargo.toml" % crate] = '[package]\nname = "engine-%s"\nversion = "0.%d.%d"\nedition = "2021"\n\n[dependencies]\nserde = "1.0"\n' % (crate, 1 + choice.below(5), choice.below(10))
        nouns = sorted({choice.of(NOUNS) for _ in range(9)})
        files["engine/%s/src/lib.rs" % crate] = "".join("pub mod %s;\n" % noun for noun in nouns)
        for noun in nouns:
            files["engine/%s/src/%s.rs" % (crate, noun)] = rust_module(choice, noun)
    for noun in NOUNS:
        files["web/src/%s.js" % noun] = script_module(choice, noun)
    for noun in NOUNS:
        files["web/styles/%s.css" % noun] = ".%s {\n  color: #%06x;\n  margin: %dpx;\n}\n" % (noun, choice.below(2**24), choice.below(40))


def settings(choice, files):
    files["web/package.json"] = json.dumps({"name": "shop-web", "version": "2.3.1", "scripts": {"build": "bundle src", "test": "run-tests"}, "dependencies": {"left": "^1.2.0", "router": "~4.0.1"}, "devDependencies": {"lint": "8.1.0"}}, indent=2) + "\n"
    for place, port in (("dev", 8080), ("staging", 8081), ("prod", 80)):
        files["config/%s.yaml" % place] = "server:\n  host: %s.example.org\n  port: %d\n  workers: %d\ndatabase:\n  url: postgres://db-%s/shop\n  pool: %d\nfeatures:\n  - search\n  - %s\n" % (place, port, 1 + choice.below(8), place, 5 + choice.below(20), choice.of(NOUNS))
        files["config/%s.ini" % place] = "[main]\ndebug = %s\nport=%d\n\n; mail\n[mail]\nhost = mail.example.org\nuser = %s\n" % ("true" if place == "dev" else "false", port, place)
        files["config/%s.env" % place] = "PORT=%d\nMODE=%s\nSECRET=\"s3cr3t %s\"\n# end\n" % (port, place, place)
    for noun in NOUNS:
        files["data/%s.json" % noun] = json.dumps([{"id": number, "name": "%s %s" % (choice.of(ADJECTIVES), noun), "price": choice.below(10000) / 100, "tags": sorted({choice.of(VERBS) for _ in range(2)})} for number in range(1, 6)], indent=1) + "\n"
    rows = ["id,name,city,amount,date"]
    for number in range(1, 121):
        rows.append("%d,%s,%s,%d.%02d,2024-%02d-%02d" % (number, choice.of(PEOPLE), choice.of(["Oslo", "Paris", "Lima", '"New York, NY"', "Zürich"]), choice.below(900), choice.below(100), 1 + choice.below(12), 1 + choice.below(28)))
    files["data/sales.csv"] = "\n".join(rows) + "\n"
    files["data/people.tsv"] = "".join("%s\t%d\t%s\n" % (name, 20 + choice.below(50), choice.of(NOUNS)) for name in PEOPLE)


def rest(choice, files):
    for noun in NOUNS:
        files["docs/%s.md" % noun] = "# %s\n\nThe %s %s is %s.\nSee [%s](%s.md).\n\n## Use\n\n```sh\n%s --%s\n```\n" % (noun.capitalize(), choice.of(ADJECTIVES), noun, choice.of(ADJECTIVES), choice.of(NOUNS), choice.of(NOUNS), choice.of(VERBS), noun)
    files["docs/release notes.md"] = "# Releases\n\n- 2.3.1: fixes\n- 2.3.0: *search*\n- 2.2.0: café menu\n"
    files["docs/übersicht.md"] = "# Übersicht\n\nGrüße aus Zürich — 日本語もOK\n"
    for day in (1, 2, 3):
        files["logs/access-%02d.log" % day] = access_log(choice, day, 180)
    for name in ("api", "worker", "mailer"):
        files["logs/%s.log" % name] = service_log(choice, name, 110)
    for name in ("build", "deploy", "clean"):
        files["scripts/%s.sh" % name] = {"mode": "755", "content": "#!/usr/bin/env bash\nset -euo pipefail\n# %s the shop\necho \"%s: ${1:-all}\"\n" % (name.capitalize(), name)}
    files["Makefile"] = "SRC := $(wildcard app/*.py)\n\nall: count\n\ncount:\n\t@echo $(words $(SRC)) modules\n\n.PHONY: all count\n"
    files["README.md"] = "# Shop\n\nA shop in three languages.\n\n| part | language |\n|---|---|\n| app | Python |\n| engine | Rust |\n| web | JavaScript |\n"
    files["LICENSE"] = "Do what you like.\n"
    files[".gitignore"] = "*.pyc\n/build/\nlogs/*.gz\n"
    files[".env"] = "APP=shop\nLEVEL=info\n"
    files["VERSION"] = "2.3.1"
    files["empty.txt"] = ""
    files["assets/logo.bin"] = {"base64": "iVBORwAKAP/+AAECAwRzaG9wAGxvZ28AAAAAAAD/"}
    files["assets/dos.txt"] = "first\r\nsecond\r\nthird\r\n"
    files["current"] = {"link": "config/prod.yaml"}
    files["web/assets"] = {"link": "../assets"}
    files["dangling"] = {"link": "nowhere/at/all"}
    files["build/"] = {}


def main():
    choice = Choice(20240301)
    files = {}
    sources(choice, files)
    settings(choice, files)
    rest(choice, files)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(case_file.write(files))
    print("%d files" % len(files))


if __name__ == "__main__":
    main()
