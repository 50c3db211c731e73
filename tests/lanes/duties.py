"""Separation of duties and the grades, proved over every request there can be: symbolic Cedar and cvc5.

tests/duties/claims.cedar and duties.toml say what must be impossible; a prover (cedar-policy-symcc) asks
cvc5 for a request that does it all the same. Proved of the shipped policies, with a permit for everything
added where a claim says so, and of a domain's own folder with --policies DIR. Then policies broken on
purpose, one for each claim: the prover has to break exactly the claims named, and Cedar's own evaluator
has to allow the request it shows.

Installs cvc5 (PyPI) and builds the prover; --install 1 does only that.
"""
import argparse, json, os, pathlib, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROVER = ROOT / "tests" / "duties"
CACHE = pathlib.Path(os.environ.get("BONDED_DUTIES", pathlib.Path.home() / ".cache" / "bonded-duties"))
CVC5 = "cvc5==1.4.2"
SHIPPED = ["baseline.cedar", "roles.cedar"]

ITEMS = 'action in [Action::"showPlain", Action::"showMasked", Action::"aggregate", Action::"train", Action::"export"]'
GRADE_4 = "when { resource.grade >= 4 };"
OWN = 'Action::"reviews", Action::"decides", Action::"guards", Action::"approveRedaction",'
ADMINISTRATORS = 'when { principal.role == "domain-admin" };\n\n// Who may work'
# What is broken: file, from, to, the claims that must fall, and the parts of a matter that one role must take.
# A policy put beside the others has no "from".
BROKEN = [
    ("grade 4 masked", "baseline.cedar", None, '@id("x") permit (principal, action == Action::"showMasked", resource) when { resource.grade == 4 && resource.listed };',
     set(), set()),
    ("the forbid of grade 4 gone", "baseline.cedar", GRADE_4, "when { resource.grade >= 5 };", {("grade-4-is-absent", "any permit")}, set()),
    ("grade 4 masked, its forbid gone", "baseline.cedar", [(GRADE_4, "when { resource.grade >= 5 };"), ('@id("masked-to-grade-3") @clause("CG-B 汇聚 L2-4")\npermit (principal, action == Action::"showMasked", resource)\nwhen { resource.grade <= 3 &&', '@id("masked-to-grade-3")\npermit (principal, action == Action::"showMasked", resource)\nwhen { resource.grade <= 4 &&')], None,
     {("grade-4-is-absent", "the policies")}, set()),
    ("raw grade 3 shows", "baseline.cedar", [("when { resource.grade >= 2 };\n\n@id(\"no-remote", "when { resource.grade == 2 };\n\n@id(\"no-remote"), ("when { resource.grade == 1 &&", "when { resource.grade != 2 &&")], None,
     {("raw-grade-3-never-shows", "the policies")}, set()),
    ("raw grade 2 shows to one operator", "baseline.cedar", [("when { resource.grade >= 2 };\n\n@id(\"no-remote", "when { resource.grade >= 2 && principal.operator != \"bank\" };\n\n@id(\"no-remote"), ("when { resource.grade == 1 &&", "when { resource.grade <= 2 &&")], None,
     {("raw-grade-2-never-shows", "the policies"), ("raw-grade-3-never-shows", "any permit")}, set()),
    ("the administrator sees", "baseline.cedar", ADMINISTRATORS, 'when { principal.role == "domain-admin" && resource has grade && resource.grade > 1 };\n\n// Who may work',
     {("the-administrator-sees-no-data", "the policies"), ("the-administrator-enters-no-scenario", "any permit")}, set()),
    ("a provider enters", "baseline.cedar", 'principal.role == "operator-member" && context.member', 'context.member',
     {("members-alone-enter", "the policies")}, set()),
    ("a licence that is not granted", "baseline.cedar", "when { !context.licenceGranted };", "when { !context.licenceGranted && !context.granted };",
     {("nothing-ungranted-is-entered", "the policies")}, set()),
    ("no emergency plan", "baseline.cedar", "when { !context.emergencyPlan };", "when { !context.emergencyPlan && !context.member };",
     {("no-plan-no-operation", "the policies")}, set()),
    ("grade 2 from afar", "baseline.cedar", 'resource.grade >= 2 && context.channel != "domain"', 'resource.grade >= 2 && context.channel == "remote"',
     {("nothing-sensitive-is-remote", "the policies")}, set()),
    ("grade 2 from afar for any product", "baseline.cedar", '"domain" && context.product != "published" };', '"domain" && context.product == "none" };',
     {("nothing-sensitive-is-remote", "the policies")}, set()),
    ("a recalled product from afar", "baseline.cedar", 'context.product != "none" && context.product != "published"', 'context.product != "none" && context.product != "published" && context.product != "recalled"',
     {("what-is-not-published-is-not-served-remotely", "the policies")}, set()),
    ("prohibited data", "baseline.cedar", "when { resource.prohibited };", "when { resource.prohibited && !resource.measure };",
     {("prohibited-data-is-closed", "the policies")}, set()),
    ("sealed data", "baseline.cedar", "when { resource.sealed };", "when { resource.sealed && !resource.measure };",
     {("sealed-data-is-closed", "the policies")}, set()),
    ("a sealed scenario", "baseline.cedar", "when { context.sealed };", "when { context.sealed && !context.member };",
     {("what-is-sealed-is-not-entered", "the policies")}, set()),
    ("what is not listed", "baseline.cedar", "when { resource.grade <= 3 && resource.listed && resource.measure };", "when { resource.grade <= 3 && resource.measure };",
     {("unlisted-items-are-closed", "the policies")}, set()),
    ("outside the licence", "baseline.cedar", "!resource.covered && !(resource.external && resource.own)", "!resource.covered && !resource.own",
     {("the-licence-bounds-all", "the policies")}, set()),
    ("another operator's data", "baseline.cedar", "when { resource.external && !resource.own };", "when { resource.external && !resource.own && !resource.covered };",
     {("external-data-is-its-owners", "the policies")}, set()),
    ("who applied grants", "roles.cedar", OWN, 'Action::"reviews", Action::"guards", Action::"approveRedaction",',
     {(f"nobody-judges-their-own-{matter}", "the policies") for matter in ("licence", "scenario", "product", "catalogue", "external")}, set()),
    ("who applied grants, unless called root", "roles.cedar", "  resource\n)\nwhen { context.submitter == principal.id };", '  resource\n)\nwhen { context.submitter == principal.id && principal.id != "root" };',
     None, set()),
    ("one role asks and decides", "roles.cedar", 'permit (principal, action in Action::"asks", resource)\nwhen { principal.role == "operator-member" };', 'permit (principal, action in Action::"asks", resource)\nwhen { ["operator-member", "data-authority"].contains(principal.role) };',
     set(), {("licence", "data-authority"), ("scenario", "data-authority"), ("product", "data-authority"), ("external", "data-authority")}),
    ("one person asks and decides", "roles.cedar", None, '@id("x") permit (principal == Person::"ann", action == Action::"approveRedaction", resource);',
     set(), {("redaction", "security-authority")}),
    ("root renews in anybody's name", "roles.cedar", "when { context.submitter != principal.id };", 'when { context.submitter != principal.id && principal.id != "root" };',
     {("nobody-renews-in-the-name-of-another", "any permit")}, set()),
    ("the administrator vets", "roles.cedar", None, '@id("x") permit (principal, action == Action::"vetPerson", resource) when { principal.role == "domain-admin" };',
     {("the-administrator-vets-nobody", "the policies")}, set()),
    ("who vets enrols", "roles.cedar", None, '@id("x") permit (principal, action == Action::"enrolPerson", resource) when { principal.role == "security-authority" };',
     {("who-enrols-or-renews-does-not-vet", "the policies")}, set()),
    ("a policy that errs", "roles.cedar", None, '@id("x") forbid (principal, action == Action::"export", resource) when { resource.grade * 9223372036854775807 > 5 };',
     set(), set()),
]


class Absent(Exception):
    """What the lane needs cannot be had here."""


def prover():
    """The prover and the solver, installed where they are not."""
    CACHE.mkdir(parents=True, exist_ok=True)
    venv = CACHE / "venv"
    if not (venv / "ready").exists():
        shutil.rmtree(venv, ignore_errors=True)
        for command in ([sys.executable, "-m", "venv", venv], [venv / "bin" / "pip", "install", "-q", CVC5]):
            done = subprocess.run([*map(str, command)], capture_output=True, text=True)
            if done.returncode:
                raise Absent(f"{CVC5}: {done.stderr.strip()[-300:]}")
        (venv / "ready").touch()
    front = CACHE / "cvc5"
    front.write_text(f'#!/bin/sh\nexec "{venv}/bin/python" "{PROVER}/cvc5_front.py" "$@"\n')
    front.chmod(0o755)
    target = CACHE / "prover"
    env = dict(os.environ, CARGO_TARGET_DIR=str(target))
    done = subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=PROVER, env=env, capture_output=True, text=True)
    if done.returncode:
        raise Absent(f"the prover's crates: {done.stderr.strip()[-300:]}")
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=PROVER, env=env, check=True)
    return [str(target / "release" / "duties-prover")], dict(os.environ, CVC5=str(front))


def judged(command, env, folder, more=()):
    """What the prover says of the policies of a folder: claims broken, requests shown, roles with two parts, all lines."""
    words = [folder / "bonded.cedarschema", PROVER / "claims.cedar", PROVER / "duties.toml", *(folder / name for name in SHIPPED), *more]
    done = subprocess.run(command + [*map(str, words)], capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"the prover stopped: {done.stderr}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    claims = {(line["claim"], line["against"]) for line in lines if "claim" in line and not line["holds"]}
    matters = {(line["matter"], line["role"]) for line in lines if "matter" in line and not line["holds"]}
    return claims, matters, lines


def shown(line):
    """A request as one reads it."""
    for request in line["requests"][:1]:
        attributes = {entity["uid"]["type"]: entity["attrs"] for entity in request["entities"] if entity["uid"]["type"] != "Action"}
        return f"{request['action']} {json.dumps(attributes, ensure_ascii=False)} {json.dumps(request['context'])}"
    return "no kind of request"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", type=pathlib.Path, help="a domain's own policies, proved with the shipped ones")
    parser.add_argument("--install", type=int, default=0)
    given = parser.parse_args()
    try:
        command, env = prover()
    except Absent as why:
        print(f"duties: passed over, since it cannot be installed here: {why}", file=sys.stderr)
        sys.exit(77)
    if given.install:
        return
    own = sorted(given.policies.glob("*.cedar")) if given.policies else []
    failed = []
    claims, matters, lines = judged(command, env, ROOT / "policies", own)
    for line in lines:
        if not line["holds"]:
            failed.append(f"the policies: {json.dumps({k: v for k, v in line.items() if k != 'requests'}, ensure_ascii=False)} {shown(line) if 'claim' in line else ''}")
    proved = [line for line in lines if "claim" in line]
    queries = sum(line["kinds"] for line in proved)
    anyhow = sum(line["against"] == "any permit" for line in proved)
    print(f"{len(proved) - anyhow} claims hold for every request, {anyhow} of them whatever else is permitted; {queries} kinds of request; "
          f"{sum('errs' in line for line in lines)} policies never err; {sum('matter' in line for line in lines)} roles in matters take one part"
          if not failed else "the policies do not hold")
    if not own:
        failed += broken(command, env)
    for line in failed:
        print("FAILED", line)
    sys.exit(1 if failed else 0)


def broken(command, env):
    """Policies broken on purpose: each must break just what is named."""
    failed, seen, counterexamples = [], set(), 0
    for name, file, before, after, wanted, roles in BROKEN:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for each in (*SHIPPED, "bonded.cedarschema"):
                shutil.copy(ROOT / "policies" / each, folder / each)
            text = (folder / file).read_text()
            edits = before if isinstance(before, list) else [(before, after)] if before else []
            for old, new in edits:
                if text.count(old) != 1:
                    failed.append(f"{name}: {file} has {text.count(old)} places of {old!r}")
                text = text.replace(old, new)
            (folder / file).write_text(text if before else f"{text}\n{after}\n")
            claims, matters, lines = judged(command, env, folder)
        if wanted is None:
            wanted = {(line["claim"], "the policies") for line in lines if line.get("claim", "").startswith("nobody-judges")}
        errs = {line["errs"] for line in lines if "errs" in line and not line["holds"]}
        if (claims, matters) != (wanted, roles) or errs != ({"x"} if name == "a policy that errs" else set()):
            failed.append(f"{name}: broke {sorted(claims)} {sorted(matters)} {sorted(errs)}, wanted {sorted(wanted)} {sorted(roles)}")
        for line in lines:
            for request in line.get("requests", []):
                counterexamples += 1
                if not request["evaluated"]:
                    failed.append(f"{name}: Cedar itself refuses {shown(line)}")
        seen |= {claim for claim, _ in claims}
    every = {line["claim"] for line in lines if "claim" in line}
    if every != seen:
        failed.append(f"nothing breaks {sorted(every - seen)}")
    print(f"{len(BROKEN)} policies broken on purpose: each breaks just what is named; {counterexamples} requests shown, each allowed by Cedar's own evaluator")
    return failed


if __name__ == "__main__":
    main()
