#!/usr/bin/python3
"""Checks an export of evidence without Lifeboat: verify_evidence.py FILE [PUBLIC_KEY]
Needs Debian's python3-cryptography. Exit status 0: chain and signature hold; 1: they do not."""
import hashlib, json, sys  # noqa: E401
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def must(holds, problem):
    if not holds:
        sys.exit(f"NOT GENUINE: {problem}")


try:
    export = json.load(open(sys.argv[1], encoding="utf-8"))
    key, signed, digest = export["public_key"], export["signed"], bytes(32)
    must(sys.argv[2:] in ([], [key]), f"signed by another key: {key}")
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(export["signature"]), signed.encode())
    statement = json.loads(signed)
    must(statement["format"] == export["format"] == "lifeboat-evidence-1", "another format")
    for number, entry in enumerate(export["entries"], 1):
        digest = hashlib.sha256(digest + entry["text"].encode()).digest()
        event = json.loads(entry["text"])
        must(entry["hash"] == digest.hex(), f"the chain breaks at entry {number}")
        must(event["stream"] == "evidence" and event["version"] == number, f"entry {number} is misplaced")
        must(event["payload"] == entry["fact"], f"entry {number} shows another fact than it holds")
    must((len(export["entries"]), digest.hex()) == (statement["entries"], statement["head"]), "entries are missing")
except Exception as problem:
    sys.exit(f"NOT GENUINE: {problem!r}")
print(f"genuine: {statement['entries']} entries of plan {statement['plan']}, {statement['exported_at']}, key {key}")
