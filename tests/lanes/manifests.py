"""Packages judged by verifiers nobody here wrote, whole and in nine kinds of tampering.

securesystemslib (PyPI) and @sigstore/verify (npm) open the envelope; what the statement says of files is
then compared by this lane, as a user of these libraries does. verify.sh (openssl and jq) and `bonded
verify` judge the folder by themselves. in-toto-attestation validates the statement and frictionless the
data package. Both kinds of keys. Needs securesystemslib[crypto], in-toto-attestation, frictionless, node;
npm installs @sigstore/verify into a temporary folder.
"""
import base64, hashlib, json, os, pathlib, shutil, subprocess, sys, tempfile
import domain as d

WRONG = []
HERE = pathlib.Path(__file__).resolve().parent
SQL = "SELECT gender, count(*) AS n, avg(income) AS a FROM city.citizen GROUP BY gender"


def wrong(text):
    WRONG.append(text); print("WRONG", text)


# --- verifiers: each raises or returns, given a folder and a PEM ------------------------------------

class Rejected(Exception):
    pass


def openssl_key(pem):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    return load_pem_public_key(pem.encode())


def securesystems(folder, pem, threshold=1):
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey
    data = json.loads((folder / "manifest.dsse.json").read_text())
    der = base64.b64decode("".join(pem.strip().splitlines()[1:-1]))
    key = SSlibKey.from_crypto(openssl_key(pem), keyid=hashlib.sha256(der).hexdigest())
    envelope = Envelope.from_dict(json.loads(json.dumps(data)))
    # The library decodes base64 that has a second spelling; what it would write must be what was read.
    if envelope.to_dict() != data: raise Rejected("second spelling")
    envelope.verify([key], threshold)
    if envelope.payload_type != "application/vnd.in-toto+json": raise Rejected("payload type")
    subjects(folder, json.loads(envelope.payload))


class Sigstore:
    """A node process that judges one envelope a line."""

    def __init__(self, folder):
        subprocess.run(["npm", "init", "-y"], cwd=folder, check=True, capture_output=True)
        # A lane is no place for an unknown version: these are the ones it was written against.
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "@sigstore/verify@3.1.1", "@sigstore/bundle@4.0.0"],
                       cwd=folder, check=True, capture_output=True)
        self.process = subprocess.Popen(["node", HERE / "manifests.js"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "NODE_PATH": str(pathlib.Path(folder) / "node_modules")})

    def __call__(self, folder, pem):
        envelope = json.loads((folder / "manifest.dsse.json").read_text())
        print(json.dumps({"envelope": envelope, "key": pem}), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if answer != "ok": raise Rejected(answer)
        if envelope["payloadType"] != "application/vnd.in-toto+json": raise Rejected("payload type")
        subjects(folder, json.loads(base64.b64decode(envelope["payload"])))

    def close(self):
        self.process.stdin.close(); self.process.wait(10)


def subjects(folder, statement):
    """The files are those the statement names, beside the three that verify by themselves."""
    named = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}
    if found != set(named) | {"manifest.dsse.json", "ledger.tlog-proof", "ledger.entry.json"}: raise Rejected("files")
    for name, digest in named.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest: raise Rejected(f"digest of {name}")


def script(sound):
    def judge(folder, pem):
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as key:
            key.write(pem); key.flush()
            # A script that one has from the domain, not the one in the package.
            own = (folder / "verify.sh").read_bytes() if (folder / "verify.sh").exists() else b""
            run = folder / "verify.sh" if own == sound else None
            if run is None: raise Rejected("verify.sh itself was changed")
            done = subprocess.run(["sh", run, key.name], capture_output=True, text=True)
            if done.returncode: raise Rejected(done.stderr.strip()[:100])
    return judge


def bonded(program):
    def judge(folder, pem):
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as key:
            key.write(pem); key.flush()
            done = subprocess.run([program, "verify", folder, "--key", key.name], capture_output=True, text=True)
            if done.returncode: raise Rejected(done.stderr.strip()[:100])
    return judge


# --- nine kinds of tampering: each changes a folder, or the key -------------------------------------

def envelope(folder, change):
    file = folder / "manifest.dsse.json"
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


def payload(folder):
    def change(data):
        text = base64.b64decode(data["payload"]).decode()
        statement = json.loads(text)
        statement["predicate"]["content"]["rows"] += 1
        data["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    envelope(folder, change)


def spelled_again(folder):
    """Base64 whose unused bits are set: the same bytes in another spelling."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    def again(text):
        body = text.rstrip("=")
        if len(body) == len(text): return None
        return body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + "=" * (len(text) - len(body))
    def change(data):
        sig = again(data["signatures"][0]["sig"])
        text = again(data["payload"])
        if sig: data["signatures"][0]["sig"] = sig
        elif text: data["payload"] = text
        else: data["payload"] = data["payload"][:4] + "\n" + data["payload"][4:]
    envelope(folder, change)


def file(folder):
    data = folder / "data" / "part-0.parquet"
    raw = bytearray(data.read_bytes())
    raw[len(raw) // 2] ^= 1
    data.write_bytes(raw)


TAMPERED = {
    "changed payload": payload,
    "changed payload type": lambda f: envelope(f, lambda e: e.update(payloadType="application/json")),
    "changed file": file,
    "extra file": lambda f: (f / "data" / "part-1.parquet").write_bytes(b"PAR1"),
    "missing file": lambda f: (f / "plan.txt").unlink(),
    "wrong key": None,
    "stripped signature": lambda f: envelope(f, lambda e: e.update(signatures=[])),
    "duplicated signature, two wanted": lambda f: envelope(f, lambda e: e["signatures"].append(e["signatures"][0])),
    "second spelling of base64": spelled_again,
}


def verdicts(package, pem, other, verifiers):
    for name, judge in verifiers.items():
        try: judge(package, pem)
        except Exception as error: wrong(f"{name} rejects a sound package: {type(error).__name__} {error}")
    for kind, change in TAMPERED.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "package"
            shutil.copytree(package, copy)
            if change: change(copy)
            told = []
            for name, judge in verifiers.items():
                # Who asks for two signatures gets one, twice.
                more = {"threshold": 2} if kind.startswith("duplicated") and name == "securesystemslib" else {}
                try:
                    judge(copy, other if change is None else pem, **more)
                    wrong(f"{name} accepts: {kind}")
                except Exception as error: told.append(f"{name}: {str(error).strip()[:44] or type(error).__name__}")
            print(f"  {kind:34} " + " | ".join(told))


def documents(package):
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.v1.statement import Statement
    import in_toto_attestation.v1.statement_pb2 as pb
    statement = json.loads(base64.b64decode(json.loads((package / "manifest.dsse.json").read_text())["payload"]))
    made = pb.Statement()
    ParseDict(statement, made)
    Statement.copy_from_pb(made).validate()
    predicate = statement["predicate"]
    for member in ("operation", "grant", "approvals", "decision", "rules", "sources", "content", "ledger"):
        if not predicate.get(member): wrong(f"the predicate has no {member}")
    if not any("scenario" in a["of"] and a["stage"] == "granted" for a in predicate["approvals"]): wrong("no grant among the approvals")
    import frictionless
    # The descriptor is judged as a package; its file, parquet, is opened by pyarrow below.
    errors = list(frictionless.Package.metadata_validate(json.loads((package / "datapackage.json").read_text())))
    if not list(frictionless.Package.metadata_validate({"resources": [{"name": 1}]})): wrong("frictionless judges nothing")
    for error in errors: wrong(f"frictionless: {error}")
    resource = json.loads((package / "datapackage.json").read_text())["resources"][0]
    raw = (package / resource["path"]).read_bytes()
    if resource["bytes"] != len(raw) or resource["hash"] != "sha256:" + hashlib.sha256(raw).hexdigest(): wrong("datapackage.json describes another file")
    import pyarrow.parquet
    table = pyarrow.parquet.read_table(package / resource["path"])
    if [f["name"] for f in resource["schema"]["fields"]] != table.column_names: wrong("datapackage.json names other columns")
    if table.num_rows != predicate["content"]["rows"]: wrong("the manifest counts other rows")
    from xml.dom import minidom
    minidom.parse(str(package / "lineage.svg"))


def main():
    options = d.arguments(__doc__)
    with d.temporary() as folder:
        sigstore = Sigstore(tempfile.mkdtemp(dir=folder))
        sound = (HERE / ".." / ".." / "crates" / "manifest" / "src" / "verify.sh").read_bytes()
        verifiers = {"securesystemslib": securesystems, "@sigstore/verify": sigstore, "verify.sh": script(sound), "bonded": bonded(options.bonded)}
        pems = {}
        packages = {}
        for kind in ("p256", "ed25519"):
            with d.Domain(options.bonded, d.f1_seed(folder / kind), more=["--manifest-key", kind]) as served:
                package = folder / f"package-{kind}"
                done = served.command("export", "-p", served.person("alice") / "profile.toml", "-o", package, SQL)
                if done.returncode: wrong(f"export: {done.stderr}"); continue
                packages[kind] = package
                pems[kind] = (served.dir / "keys" / "manifest.pub.pem").read_text()
            inside = subprocess.run([options.bonded, "verify", package, "--key", package / "policy.tlog-policy"], capture_output=True, text=True)
            if inside.returncode != 2: wrong("a key out of the package itself is taken")
        for kind, package in packages.items():
            print(kind)
            other = pems["p256" if kind == "ed25519" else "ed25519"]
            verdicts(package, pems[kind], other, verifiers)
            documents(package)
        sigstore.close()
    print("manifests: " + ("FAILED" if WRONG else "as claimed"))
    return 1 if WRONG else 0


if __name__ == "__main__":
    sys.exit(main())
