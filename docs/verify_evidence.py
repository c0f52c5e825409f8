#!/usr/bin/python3
"""Checks an export of evidence without Lifeboat: verify_evidence.py FILE [PUBLIC_KEY]
Needs Debian's python3-cryptography. Exit status 0: chain and signature hold; 1: they do not."""
import hashlib, json, sys  # noqa: E401
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORM = {"format": "lifeboat-evidence-1"}
exact = lambda value: json.dumps(value, sort_keys=True)  # noqa: E731  (to Python, 1 is True)


def must(holds, problem):
    return holds or sys.exit(f"NOT GENUINE: {problem}")


def once(pairs):
    return must(len(dict(pairs)) == len(pairs), "a name stands there twice") and dict(pairs)


try:
    export = json.loads(open(sys.argv[1], encoding="utf-8").read(), object_pairs_hook=once)
    key, seal, signed = bytes.fromhex(export["public_key"]), bytes.fromhex(export["signature"]), export["signed"]
    must(sys.argv[2:] == [] or bytes.fromhex(sys.argv[2]) == key, f"signed by another key: {key.hex()}")
    y = int.from_bytes(key, "little") % 2**255  # a point of low order would fit any text
    must(y * (y * y - 1) * (121666 * (2 * y * y - 1) - 121665 * y**4) % (2**255 - 19), "anybody can sign with this key")
    Ed25519PublicKey.from_public_bytes(key).verify(seal, signed.encode())
    digest, entries, statement = bytes(32), [], json.loads(signed)
    for number, entry in enumerate(export["entries"], 1):
        digest, event = hashlib.sha256(digest + entry["text"].encode()).digest(), json.loads(entry["text"])
        must(entry["hash"] == digest.hex(), f"the chain breaks at entry {number}")
        must((event["stream"], event["version"]) == ("evidence", number), f"entry {number} is misplaced")
        must(exact(entry["fact"]) == exact(event["payload"]), f"entry {number} shows another fact than it holds")
        entries.append({"text": entry["text"], "hash": digest.hex(), "fact": event["payload"]})
    must((statement["entries"], statement["head"]) == (len(entries), digest.hex()), "other entries were signed")
    must(exact(export) == exact(FORM | {"public_key": key.hex(), "signature": seal.hex(), "signed": signed, "entries": entries})
         and FORM.items() <= statement.items(), "it shows what nobody signed")
except Exception as problem:
    sys.exit(f"NOT GENUINE: {problem!r}")
print(f"genuine: {statement['entries']} entries of plan {statement['plan']}, {statement['exported_at']}, key {key.hex()}")
