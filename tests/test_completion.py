#!/usr/bin/env python3
"""Completion for shells offers what --help has: bash is run, zsh and fish where they are; and the manual page knows every command and option.
test_completion.py [PROGRAM]"""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

PROGRAM = harness.program()
OPTION = re.compile(r"^  (?:-(\w), |    )--([a-z-]+)", re.M)
BASH = r'''
source <("$1" completion bash)
while IFS=$'\t' read -r -a COMP_WORDS; do
	COMP_WORDS=("${COMP_WORDS[@]/#EMPTY/}")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_stwatch 2>/dev/null
	echo "${COMPREPLY[*]}"
done
'''
ZSH = r'''
compdef() { :; }
source <("$1" completion zsh)
for command in "${@:2}"; do
	specs=()
	_stwatch_specs $command
	print -r -- "$command ${(j:\t:)specs}"
done
'''


def printed(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, check=True).stdout


def commands():
    return re.findall(r"^  ([a-z]+) ", printed("--help").split("Commands:")[1].split("\n\n")[0], re.M)


def options(command):
    """By name, each with its letter or ""."""
    return {name: letter for letter, name in OPTION.findall(printed(command, "--help"))}


def words(found):
    return {"--" + name for name in found} | {"-" + letter for letter in found.values() if letter}


def ask_bash(lines):
    """What bash offers for each line of words, the last of which is being written."""
    given = "\n".join("\t".join(word or "EMPTY" for word in line) for line in lines) + "\n"
    done = subprocess.run(["bash", "-c", BASH, "bash", PROGRAM], input=given, capture_output=True, text=True, cwd=harness.SOURCE)
    return [set(answer.split()) for answer in done.stdout.splitlines()]


def bash(report, found):
    topics = set(json.loads(printed("explain", "--format", "json"))["topics"])
    every = set(found) | {"help"}
    cases = [(("stwatch", command, "-"), words(found[command])) for command in found]
    cases += [(("stwatch", "-"), words(found["diagnose"])), (("stwatch", "help", ""), every), (("stwatch", "explain", ""), topics),
              (("stwatch", "completion", ""), {"bash", "zsh", "fish"}), (("stwatch", "path", "--forma"), {"--format"}),
              (("stwatch", "states", "--format", ""), {"table", "text", "mermaid", "dot", "json"}),
              (("stwatch", "states", "--format", "=", "m"), {"mermaid"}), (("stwatch", "states", "--format", "="), {"table", "text", "mermaid", "dot", "json"}),
              (("stwatch", "--color", "a"), {"auto", "always"}), (("stwatch", "stat", "--memory", ""), set()), (("stwatch", "stat", "READ"), set()),
              (("stwatch", "sta"), {"stat", "states"}), (("stwatch", "READ"), {"README.md"}), (("stwatch", "stat", "--quiet", "--config", "READ"), set())]
    for (line, want), got in zip(cases, ask_bash([line for line, _ in cases])):
        report.check("bash: %s" % " ".join(line), None if got == want else "missing %s, too many %s" % (sorted(want - got), sorted(got - want)))


def zsh(report, found):
    if not shutil.which("zsh"):
        return report.note("no zsh here: its script is not looked at")
    done = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", PROGRAM, *found], capture_output=True, text=True)
    report.check("zsh reads it", done.stderr or None)
    for line in done.stdout.splitlines():
        command, _, specs = line.partition(" ")
        got = set(re.findall(r"(?:^|\t|\*)(?:\([^)]*\))?(--?[a-z-]+)", specs.replace("\\t", "\t")))
        report.check("zsh: %s" % command, None if got == words(found[command]) else sorted(got ^ words(found[command])))
    return None


def fish(report, found):
    text = printed("completion", "fish")
    for command in found:
        got = set(re.findall(r"^complete -c stwatch -n '__fish_seen_subcommand_from %s'.* -l ([a-z-]+)" % command, text, re.M))
        report.check("fish: %s" % command, None if got == set(found[command]) else sorted(got ^ set(found[command])))
    if not shutil.which("fish"):
        return report.note("no fish here: its script is not run")
    script = 'source (%s completion fish | psub); complete -C "stwatch states --format "; complete -C "stwatch explain stw-p"' % PROGRAM
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True)
    got = {line.split("\t")[0] for line in done.stdout.splitlines()}
    report.check("fish runs it", None if {"mermaid", "dot", "stw-prolonged"} <= got and not done.stderr else done.stdout[:300] + done.stderr[:300])
    return None


def manual(report, found):
    """Each command has an item, and in it each of its own options; those of every command and the thresholds stand apart."""
    with open(os.path.join(harness.SOURCE, "man", "stwatch.1"), encoding="utf-8") as file:
        text = file.read().replace("Fl -", "Fl --")
    page, general = text.split(".Sh COMMANDS")[1].split(".Sh OPTIONS")
    flags = lambda part: set(re.findall(r"Fl --([a-z-]+)", part)) | set(re.findall(r"Fl (\w) ", part))
    everywhere = flags(general)
    items = dict(re.findall(r"^\.It Cm (\w+)(.*?)(?=^\.It Cm |\Z)", page, re.M | re.S))
    for command in found:
        wanted = {word.lstrip("-") for word in words(found[command])} - everywhere
        missing = sorted(wanted - flags(items.get(command, "")))
        report.check("man: %s" % command, None if command in items and not missing else missing or "it has no item")
        items_only = "".join(re.findall(r"^\.It Fl.*\n", items.get(command, ""), re.M))
        unknown = sorted(flags(items_only) - {word.lstrip("-") for word in words(found[command])})
        report.check("man: %s has no others" % command, unknown or None)


def main():
    report = harness.Report()
    found = {command: options(command) for command in commands()}
    for test in (bash, zsh, fish, manual):
        test(report, found)
    report.finish()


if __name__ == "__main__":
    main()
