"""An export of evidence that somebody has touched: Lifeboat and docs/verify_evidence.py refuse the same things."""
import hashlib
import json
import subprocess
import sys

import pytest

from cli import PROGRAM, ROOT, documents

SCRIPT = ROOT / "docs" / "verify_evidence.py"
PYTHON = "/usr/bin/python3" if sys.prefix != "/usr" else sys.executable
WEB = """
components:
  web: {kind: process, command: [/bin/sh, -c, exec sleep 600], health: [{process: true}], objectives: {rto: 1h}}
scenarios:
  web-lost: {lost: [web], detect: {any: [{unhealthy: web}]}, steps: [{start: web}, {verify: web}]}
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The text of an export with facts in it; the service that was started is ended."""
    from cli import Cli
    cli = Cli(tmp_path_factory.mktemp("export"))
    cli.write(WEB)
    cli.run("vault", "init", code=0)
    cli.run("recover", "web-lost", "--yes", code=0)
    text = cli.run("evidence", "export", code=0).stdout
    cli.steps("stop: web", more=WEB.split("scenarios")[0], name="down").run(
        "recover", "down", "--yes", "--although-healthy", "end of the test", code=0)
    cli.stop()
    assert json.loads(text)["entries"]
    return text


def both(cli, text, *key):
    """What Lifeboat and the script say of the file: (their exit statuses, all that they say)."""
    file = cli.home / "evidence.json"
    file.write_text(text, encoding="utf-8")
    ours = cli.bare("evidence", "verify", str(file), *(word for one in key for word in ("--key", one)))
    alone = subprocess.run([PYTHON, str(SCRIPT), str(file), *key], capture_output=True, text=True)
    return (ours.returncode, alone.returncode), ours.stdout + ours.stderr + alone.stdout + alone.stderr


def changed(text, change):
    document = json.loads(text)
    change(document)
    return json.dumps(document)


TAMPERINGS = {
    "a remark beside an entry": lambda text: changed(text, lambda d: d["entries"][0].update(note="all is well")),
    "a summary at the top": lambda text: changed(text, lambda d: d.update(summary={"met": "everything"})),
    "a member of the fact": lambda text: changed(text, lambda d: d["entries"][0]["fact"].update(remark="x")),
    "1 for true": lambda text: text.replace('"met": true', '"met": 1', 1),
    "1.0 for a whole number": lambda text: changed(text, lambda d: d["entries"][0]["fact"].update(met=1.0)),
    "a fact given twice": lambda text: text.replace('"met": true', '"met": false,\n        "met": true', 1),
    "a public key given twice": lambda text: text.replace('"public_key"', '"public_key": "x",\n  "public_key"', 1),
    "entries given twice": lambda text: text.replace('"entries"', '"entries": [],\n  "entries"', 1),
    "a hash in capitals": lambda text: changed(text, lambda d: d["entries"][0].update(hash=d["entries"][0]["hash"].upper())),
    "a key in capitals": lambda text: changed(text, lambda d: d.update(public_key=d["public_key"].upper())),
    "a signature with a blank": lambda text: changed(text, lambda d: d.update(signature=d["signature"][:2] + " " + d["signature"][2:])),
    "an entry less": lambda text: changed(text, lambda d: d["entries"].pop()),
    "an entry twice": lambda text: changed(text, lambda d: d["entries"].append(d["entries"][-1])),
    "no entries": lambda text: changed(text, lambda d: d.update(entries=[])),
    "another format": lambda text: changed(text, lambda d: d.update(format="lifeboat-evidence-2")),
    "no format": lambda text: changed(text, lambda d: d.pop("format")),
    "a member of what is signed": lambda text: changed(text, lambda d: d.update(signed=d["signed"].replace("{", '{"a":1,', 1))),
    "something behind it": lambda text: text + "{}",
    "a mark before it": lambda text: "\ufeff" + text,
    "a list": lambda text: "[" + text + "]",
    "not a number": lambda text: changed(text, lambda d: d["entries"][0]["fact"].update(value=float("nan"))),
    "nothing": lambda text: "",
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_what_nobody_signed_is_refused_by_both(cli, exported, how):
    touched = TAMPERINGS[how](exported)
    assert touched != exported
    codes, told = both(cli, touched)
    assert codes == (1, 1), told
    assert "NOT GENUINE" in told and "lifeboat: error: " in told, told


def test_blanks_order_and_escapes_are_nobodys_business(cli, exported):
    document = json.loads(exported)
    turned = {name: document[name] for name in reversed(document)}
    for text in (exported, json.dumps(document), json.dumps(turned, indent=7, ensure_ascii=True)):
        codes, told = both(cli, text)
        assert codes == (0, 0), told


def low_order_keys():
    p = 2**255 - 19
    for y in (0, 1, p - 1, p, p + 1, 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826,
              0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7):
        for sign in (0, 2**255):
            yield (y | sign).to_bytes(32, "little").hex()


@pytest.mark.parametrize("key", list(low_order_keys()))
def test_a_key_that_signs_anything_signs_nothing(cli, exported, key):
    """Where the key is a point of low order, a signature that fits every text can be made up."""
    def forge(document):
        document.update(public_key=key, signature="01" + "00" * 63)
    codes, told = both(cli, changed(exported, forge))
    assert codes == (1, 1), told


def test_a_chain_that_was_made_anew_is_told_from_one_that_is_too_short(cli, exported):
    def anew(document):
        digest = bytes(32)
        for entry in document["entries"]:
            event = json.loads(entry["text"])
            event["payload"]["subject"] = entry["fact"]["subject"] = "run-nobody"
            entry["text"] = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            digest = hashlib.sha256(digest + entry["text"].encode()).digest()
            entry["hash"] = digest.hex()
    codes, told = both(cli, changed(exported, anew))
    assert codes == (1, 1) and "the chain was made anew" in told and "were signed," not in told
    codes, told = both(cli, changed(exported, lambda document: document["entries"].pop()))
    assert codes == (1, 1) and "entries were signed," in told


def test_a_key_is_taken_as_people_write_it(cli, exported):
    key = json.loads(exported)["public_key"]
    for written in (key, key.upper(), f" {key}\n"):
        assert both(cli, exported, written)[0] == (0, 0), written
    assert both(cli, exported, "0" * 64)[0] == (1, 1)
    assert cli.bare("evidence", "verify", str(cli.home / "evidence.json"), "--key", "abc").returncode == 2
    assert cli.bare("evidence", "verify", str(cli.home / "none.json")).returncode == 8


def test_a_dash_is_standard_output_and_standard_input(cli, exported):
    cli.write(WEB)
    cli.run("vault", "init", code=0)
    done = cli.run("evidence", "export", "-", code=0)
    assert documents(done.stdout)[0]["format"] == "lifeboat-evidence-1" and not (cli.home / "-").exists()
    checked = cli.bare("evidence", "verify", "-", stdin=done.stdout)
    assert checked.returncode == 0 and "the chain is whole" in checked.stdout
    piped = subprocess.run(["/bin/sh", "-c", '"$0" evidence export - --plan "$1" --state "$2" | "$0" evidence verify - --json',
                            str(PROGRAM), str(cli.plan), str(cli.state)], capture_output=True, text=True, cwd=cli.home,
                           env=cli.environment())
    assert piped.returncode == 0 and documents(piped.stdout)[0]["entries"] == 0, piped.stderr


def test_the_script_is_as_short_as_it_says():
    code = [line for line in SCRIPT.read_text().split('"""')[2].splitlines() if line.strip()]
    assert len(code) <= 30
