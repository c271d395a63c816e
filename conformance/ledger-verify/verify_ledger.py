"""A second verifier of Bonafide's ledger, written from docs/adr/0020-leaf-format.md alone.

    python3 verify_ledger.py EXPORT        checks an export; prints the result as JSON; exit 1 if anything is wrong
    python3 verify_ledger.py --vectors F   checks the vectors; exit 1 if one differs
"""

import hashlib
import hmac
import json
import struct
import sys

HEADER = struct.Struct(">BBHB3sQQQ16s32s")


def sha256(data):
    return hashlib.sha256(data).digest()


def decode_leaf(raw):
    if len(raw) != 80 or raw[0] != 1:
        raise ValueError("not a leaf of format 1")
    _, flags, kind, needs, epoch, n, time, prev, key, commitment = HEADER.unpack(raw)
    epoch = int.from_bytes(epoch, "big")
    if flags > 3 or not 1 <= n < 2**36 or prev >= n or epoch > 131071 or time >= 2**53:
        raise ValueError("a field is out of range")
    return {"tombstone": flags & 1 == 1, "reappended": flags & 2 == 2, "kind": kind, "needs": needs,
            "epoch": epoch, "n": n, "time": time, "prev": prev, "key": key, "commitment": commitment}


def commitment_of(body):
    flags, length = body[0], int.from_bytes(body[1:5], "big")
    if flags > 3 or len(body) < 5 + length:
        raise ValueError("not two parts")
    parts = [(body[5:5 + length], flags & 1), (body[5 + length:], flags & 2)]
    for raw, erased in parts:
        if (len(raw) != 32) if erased else (len(raw) < 16):
            raise ValueError("a part has a wrong length")
    return sha256(b"".join(raw if erased else sha256(raw) for raw, erased in parts))


class Tree:
    """The right edge of an RFC 6962 tree."""

    def __init__(self):
        self.size, self.stack = 0, []

    def append(self, leaf):
        top, rest = sha256(b"\0" + leaf), self.size
        while rest & 1:
            top, rest = sha256(b"\1" + self.stack.pop() + top), rest >> 1
        self.stack.append(top)
        self.size += 1

    def root(self):
        if not self.stack:
            return sha256(b"")
        top = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            top = sha256(b"\1" + left + top)
        return top


def verify(lines):
    head, faults, tree = json.loads(next(lines)), [], Tree()
    newest, opened, epoch = {}, set(), 0
    if head.get("format") != "bonafide-ledger-export-1":
        raise SystemExit("not an export of a ledger")
    rows = []
    for line in lines:
        item = json.loads(line)
        if "row" in item:
            rows.append(item["row"])
            continue
        raw, body, n = bytes.fromhex(item["leaf"]), bytes.fromhex(item["body"]), tree.size + 1
        tree.append(raw)
        try:
            leaf = decode_leaf(raw)
        except ValueError:
            faults.append(("leaf.malformed", n))
            continue
        name, opens = (leaf["kind"], leaf["key"].hex()), leaf["kind"] == 2
        before = newest.get(name, (0, 0))
        if leaf["n"] != n:
            faults.append(("leaf.gap", n))
        if (leaf["kind"] == 1) != (n == 1):
            faults.append(("ledger.misplaced", n))
        if leaf["epoch"] != epoch and not (opens and leaf["epoch"] > epoch):
            faults.append(("epoch.unopened", n))
        elif opens and (leaf["epoch"] == epoch or leaf["epoch"] in opened):
            faults.append(("epoch.misplaced", n))
        if opens:
            opened.add(leaf["epoch"])
        epoch = leaf["epoch"]
        if leaf["prev"] != before[0]:
            faults.append(("leaf.prev", n))
        try:
            if commitment_of(body) != leaf["commitment"]:
                faults.append(("body.commitment", n))
        except (ValueError, IndexError):
            faults.append(("body.malformed", n))
        newest[name] = (n, 0 if leaf["tombstone"] else before[1] or n)
    if (tree.size, epoch, tree.root().hex()) != (head["n"], head["epoch"], head["root"]):
        faults.append(("head.differs", tree.size))
    for row in rows:
        found = newest.pop((row["kind"], row["key"]), None)
        if found is None or found[1] == 0:
            faults.append(("row.stray", found[0] if found else row["n"]))
        elif found != (row["n"], row["first_n"]):
            faults.append(("row.differs", found[0]))
    faults.extend(("row.missing", n) for n, first in newest.values() if first)
    return {"leaves": tree.size, "root": tree.root().hex(), "faults": faults}


def check_vectors(vectors):
    wrong = 0
    for v in vectors["leaves"]:
        try:
            got = decode_leaf(bytes.fromhex(v["hex"]))
            got = {k: x.hex() if isinstance(x, bytes) else x for k, x in got.items()}
        except ValueError:
            got = None
        wrong += got != v["leaf"]
    for v in vectors["keys"]:
        data = struct.pack(">H", v["kind"]) + v["naturalKey"].encode()
        mac = hmac.new(bytes.fromhex(v["secret"]), data, "sha256").digest()
        wrong += mac[:16].hex() != v["key"]
    for v in vectors["bodies"]:
        wrong += commitment_of(bytes.fromhex(v["body"])).hex() != v["commitment"]
    for v in vectors["numbers"]:
        wrong += v["epoch"] * 2**36 + v["n"] != v["number"]
    tree = Tree()
    for v in vectors["roots"]:
        if v["leaf"] is not None:
            tree.append(bytes.fromhex(v["leaf"]))
        wrong += tree.root().hex() != v["root"]
    return wrong


if __name__ == "__main__":
    if sys.argv[1] == "--vectors":
        with open(sys.argv[2], encoding="utf8") as file:
            count = check_vectors(json.load(file))
        print(json.dumps({"wrong": count}))
        sys.exit(1 if count else 0)
    with open(sys.argv[1], encoding="utf8") as file:
        result = verify(iter(file))
    print(json.dumps(result))
    sys.exit(1 if result["faults"] else 0)
