"""Verifies a log with aics-tlog, which nobody here wrote: notes and checkpoints by verify_checkpoint,
tiles and entries by audit_tiles, proofs by verify_leaf_inclusion and verify_consistency. What is here
only finds files.

Usage: verifier.py KEYFILE, then a folder a line on standard input; a line "ok …" or "no …" for each.
"""
import base64, pathlib, sys
import aics_tlog as tlog
from aics_tlog.tiles import read_entry
from aics_tlog.verified import audit_tiles

HEADER = "c2sp.org/tlog-proof@v1"


class Unverified(Exception):
    pass


def checkpoint(data, key):
    note = tlog.parse_note(data.decode())
    verified = tlog.verify_checkpoint(note, key, expected_origin=key.name)
    if not verified.ok:
        raise Unverified(f"checkpoint: {verified.error}")
    return tlog.parse_checkpoint(note.text)


def proof_file(text, key, entry):
    head, blank, signed = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or len(lines) < 2 or lines[0] != HEADER or not lines[1].startswith("index "):
        raise Unverified("the proof is malformed")
    index = int(lines[1].removeprefix("index "))
    if lines[1] != f"index {index}":
        raise Unverified("the proof is malformed")
    head = checkpoint(signed.encode(), key)
    path = [base64.b64decode(line, validate=True) for line in lines[2:]]
    if any(base64.b64encode(hash).decode() != line for hash, line in zip(path, lines[2:])):
        raise Unverified("the proof is malformed")
    if not tlog.verify_leaf_inclusion(entry(index), index, head.size, path, head.root):
        raise Unverified("the entry is not in the log")


def verify(folder, key):
    folder = pathlib.Path(folder)
    head = checkpoint((folder / "checkpoint").read_bytes(), key)
    reader = tlog.FileSystemTileReader(folder)
    audit_tiles(reader, head.size, head.root)
    proofs = sorted(folder.glob("proofs/*.tlog-proof"))
    if not proofs:
        raise Unverified("there are no proofs")
    for file in proofs:
        proof_file(file.read_bytes().decode(), key, lambda index: read_entry(reader, index, head.size))
    older = checkpoint((folder / "older").read_bytes(), key)
    grown = tlog.consistency_proof_from_tiles(reader, older.size, head.size)
    if not tlog.verify_consistency(older.size, head.size, older.root, head.root, grown):
        raise Unverified("the log did not grow out of its older checkpoint")
    return head.size


def main():
    key = tlog.parse_vkey(pathlib.Path(sys.argv[1]).read_text().strip())
    for line in sys.stdin:
        try:
            print(f"ok {verify(line.rstrip(chr(10)), key)}", flush=True)
        except Exception as error:  # whatever the library throws at bytes that were tampered with
            print(f"no {type(error).__name__}: {error}".replace("\n", " "), flush=True)


main()
