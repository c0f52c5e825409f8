#!/usr/bin/python3
"""Gets data out of a vault without Lifeboat: the format of vault.md in a few dozen lines.

usage: decode.py VAULT KEYFILE                            list points, logs, documents
       decode.py VAULT KEYFILE point ID DIRECTORY         write a point's files
       decode.py VAULT KEYFILE log COMPONENT/LINEAGE/BRANCH FILE
       decode.py VAULT KEYFILE document COMPONENT/NAME FILE

Everything is authenticated; the first wrong byte ends it with an exception. Needs python3-cryptography,
and python3-zstandard or the program zstd.
"""

import base64, hashlib, hmac, json, os, struct, subprocess, sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BODY, TABLE, HEAD = 0, 1, 2


def unzstd(frame):
    try:
        import zstandard
        return zstandard.ZstdDecompressor().decompress(frame)
    except ImportError:
        return subprocess.run(["zstd", "-dcq"], input=frame, stdout=subprocess.PIPE, check=True).stdout


def derive(key, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info.encode()).derive(key)


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def unseal(key, ordinal, part, associated, sealed):
    return AESGCM(key).decrypt(struct.pack("<QI", ordinal, part), sealed, associated)


class Fields:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size:self.at]

    def get(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def text(self):
        return self.take(self.get("H")[0])


class Vault:
    def __init__(self, root, key_file):
        self.root = Path(root)
        word, encoded, _ = Path(key_file).read_text().split()
        assert word == "lifeboat-key-1"
        secret = base64.urlsafe_b64decode(encoded + "=")
        record = json.loads((self.root / "vault.json").read_text())
        assert record["format"] == "lifeboat-vault" and record["version"] == 1
        assert not record["features"]["read"]
        self.id = bytes.fromhex(record["vault"])
        self.public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(record["public_key"]))
        self.keys = {name: derive(secret, self.id, "lifeboat vault 1 " + name)
                     for name in ("id", "data", "manifest", "document", "log")}

    def names(self, folder):
        return sorted(str(p.relative_to(self.root)) for p in (self.root / folder).rglob("*") if p.is_file())

    def manifest(self, name):
        data = (self.root / name).read_bytes()
        sequence = struct.pack("<Q", int(name[-16:], 16))
        magic, version, _, head_size, body_size, salt = struct.unpack("<8sHHIQ32s", data[:56])
        assert magic == b"LBMANI01" and version == 1
        key, associated = derive(self.keys["manifest"], salt, "manifest"), self.id + sequence + data[:56]
        end = 56 + head_size
        self.public.verify(data[end:end + 64], b"lifeboat manifest 1" + self.id + sequence + data[:end])
        head = json.loads(unseal(key, 0, HEAD, associated, data[56:end]))
        body = data[end + 64:]
        assert len(body) == body_size and hashlib.sha256(body).hexdigest() == head["body"]
        return head, Fields(unseal(key, 0, BODY, associated, body))

    def chunk(self, pack, kind, slot, chunk_id):
        name, salt, _ = pack
        ordinal, offset, stored, plain, encoding = slot
        with open(self.root / "packs" / name.hex()[:2] / name.hex(), "rb") as file:
            file.seek(offset)
            sealed = file.read(stored)
        associated = self.id + salt + struct.pack("<QBB", ordinal, kind, encoding) + chunk_id
        data = unseal(derive(self.keys["data"], salt, "pack"), ordinal, BODY,
                      associated + struct.pack("<I", plain), sealed)
        data = unzstd(data) if encoding else data
        assert len(data) == plain and mac(self.keys["id"], bytes([kind]) + data) == chunk_id
        return data

    def restore(self, point, directory):
        for name in self.names("manifests"):
            head, body = self.manifest(name)
            if head["id"] == point:
                break
        else:
            sys.exit(f"no point {point}")
        packs = [body.get("32s32sI") for _ in range(body.get("I")[0])]
        trees = [(body.get("I")[0], body.get("IIIIB"), body.take(32)) for _ in range(body.get("I")[0])]
        os.makedirs(directory)
        file, modes = None, []
        for pack, slot, chunk_id in trees:
            records = Fields(self.chunk(packs[pack], 2, slot, chunk_id))
            while records.at < len(records.data):
                kind = records.take(1)[0]
                if kind in (1, 3):                                      # directory, file
                    mode, _ = records.get("Iq")
                    path = os.path.join(os.fsencode(directory), records.text())
                    modes.append((path, mode))
                    os.makedirs(path if kind == 1 else os.path.dirname(path), exist_ok=True)
                    file = open(path, "xb") if kind == 3 else None
                elif kind == 2:                                         # symlink
                    path = os.path.join(os.fsencode(directory), records.text())
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    os.symlink(records.text(), path)
                elif kind == 4:                                         # extents of the open file
                    for _ in range(records.get("H")[0]):
                        stored, size = records.get("BQ")
                        if stored:
                            number, slot, chunk_id = records.get("I")[0], records.get("IIIIB"), records.take(32)
                            file.write(self.chunk(packs[number], 1, slot, chunk_id))
                        else:
                            file.seek(size, os.SEEK_CUR)
                else:                                                   # end of the file
                    assert kind == 5
                    file.truncate(records.get("Q")[0])
                    file.close()
        for path, mode in reversed(modes):
            os.chmod(path, mode & 0o7777)

    def log(self, log, path):
        component, lineage, branch = log.split("/")
        end = None
        with open(path, "wb") as out:
            for name in self.names(f"logs/{component}/{lineage}/{int(branch):08x}"):
                for position, data in self.frames(name):
                    start = position if end is None else end
                    assert position <= start, f"a gap from {start} to {position}"
                    out.write(data[start - position:])
                    end = max(start, position + len(data))

    def frames(self, name):
        data = (self.root / name).read_bytes()
        salt, at, ordinal = data[24:56], 88, 0
        header_key = derive(self.keys["log"], salt, "log header")
        if mac(header_key, self.id + data[:56] + name.encode()) != data[56:88]:
            return
        key = derive(self.keys["log"], salt, "log frames")
        while data[at:at + 4] == b"LBFR":
            header = data[at:at + 64]
            kind, encoding, _, number, _, position, _, _, size, marks = struct.unpack("<BBHIIQQIII", header[4:44])
            sealed_marks, sealed = data[at + 64:at + 64 + marks], data[at + 64 + marks:at + 64 + marks + size]
            try:
                unseal(key, ordinal, HEAD, self.id + salt + header, sealed_marks)
                plain = unseal(key, ordinal, BODY, self.id + salt + header + sealed_marks[-16:], sealed)
            except Exception:
                return                                                  # a torn tail, or damage: the rest is missing
            assert number == ordinal
            if kind == 1:
                yield position, unzstd(plain) if encoding else plain
            at, ordinal = at + 64 + marks + size, ordinal + 1

    def document(self, name):
        data = (self.root / "documents" / name).read_bytes()
        key = derive(self.keys["document"], data[16:48], "document")
        return unseal(key, 0, BODY, self.id + data[:48] + f"documents/{name}".encode(), data[48:])

    def show(self):
        for name in self.names("manifests"):
            head, _ = self.manifest(name)
            print("point   ", head["id"], head["ended"], head["size"], "bytes")
        for log in sorted({tuple(name.split("/")[1:4]) for name in self.names("logs")}):
            print("log     ", f"{log[0]}/{log[1]}/{int(log[2], 16)}")
        for name in self.names("documents"):
            print("document", name.removeprefix("documents/"))


def main(vault, key_file, what=None, name=None, target=None):
    vault = Vault(vault, key_file)
    if what is None:
        vault.show()
    elif what == "point":
        vault.restore(name, target)
    elif what == "log":
        vault.log(name, target)
    elif what == "document":
        Path(target).write_bytes(vault.document(name))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) in (3, 6) else sys.exit(__doc__)
