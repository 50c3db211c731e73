"""The whole procedure in a production domain, every step by the command line, each person with a key of their own.

From `init` to a granted licence, an approved scenario, an answer; suspension, rectification, renewal; a product
from registration to recall; a violation and the public list; objections and their answers; the end and the
destruction. Every step is also asked for by every role that may not, and refused. Needs grpcio, pyarrow, cc.
"""
import base64, csv, datetime, hashlib, json, os, pathlib, re, shutil, socket, ssl, subprocess, sys, threading, time
import domain as d

WRONG = []
ROLES = {"adam": "domain-admin", "dana": "data-authority", "sam": "security-authority", "pia": "provider",
         "rex": "regulator", "ann": "operator-member", "bob": "operator-member"}
ORGANISATIONS = {"adam": "wuxi", "dana": "data-bureau", "sam": "cyber-bureau", "pia": "health-bureau", "rex": "audit",
                 "ann": "acme", "bob": "acme"}


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """A domain of its own, and seven people who each keep their key in a folder of theirs."""

    def __init__(self, bonded, folder):
        self.bonded, self.folder, self.dir = pathlib.Path(bonded).resolve(), folder, folder / "domain"
        self.flight, self.remote, self.admin = (f"127.0.0.1:{free_port()}" for _ in range(3))
        self.days, self.process, self.steps = 0, None, 0
        self.shim = folder / "clock.so"
        source = pathlib.Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", self.shim, source, "-ldl"], check=True)

    def environment(self):
        ahead = {"LD_PRELOAD": str(self.shim), "BONDED_AHEAD_SECONDS": str(self.days * 86400)}
        return {**os.environ, **(ahead if self.days else {})}

    def day(self, later=0):
        """A day from today on, in the domain's civil time."""
        east = datetime.timezone(datetime.timedelta(hours=8))
        return str((datetime.datetime.now(east) + datetime.timedelta(days=self.days + later)).date())

    def run(self, *words):
        return subprocess.run([self.bonded, *map(str, words)], capture_output=True, text=True, env=self.environment())

    def serve(self):
        self.log = open(self.folder / "serve.log", "ab")
        self.process = subprocess.Popen([self.bonded, "serve", "--dir", self.dir, "--flight", self.flight, "--flight-remote", self.remote, "--admin", self.admin],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.environment())
        if not self.process.stdout.readline().startswith("ready"):
            raise SystemExit((self.folder / "serve.log").read_text())

    def stop(self):
        if self.process: self.process.terminate(); self.process.wait(20)

    def later(self, days):
        """The gateway is started again so many days later."""
        self.stop(); self.days += days; self.serve()

    def profile(self, who):
        return self.folder / who / "profile.toml"

    def afar(self, who):
        """The profile of somebody who calls from outside the domain."""
        path = self.folder / who / "remote.toml"
        path.write_text(self.profile(who).read_text().replace(self.flight, self.remote))
        return path

    def ask(self, who, *words):
        """Exit code and the answer, or what was said."""
        done = self.run(*words, "-p", self.profile(who), "--json")
        return done.returncode, (json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip())

    def does(self, who, *words):
        """A step that is lawful."""
        code, told = self.ask(who, *words)
        if code: wrong(f"{who}: {' '.join(map(str, words))}: {code} {told}")
        self.steps += 1
        return told if code == 0 else {}

    def refused(self, who, *words, code=1, told):
        """A step that is not, with the exit code and the code of the refusal."""
        got, text = self.ask(who, *words)
        if got != code or told not in str(text): wrong(f"{who}: {' '.join(map(str, words))}: {got} {text}, not {code} {told}")

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def query(self, who, sql):
        done = self.run("query", "-p", self.profile(who), "--scenario", "care", "--format", "json", sql)
        return done.returncode, done.stdout if done.returncode == 0 else done.stderr.strip()


def secret(world):
    """The passphrase of the domain's keystore, for its owner alone."""
    path = world.file("passphrase", "correct horse battery")
    path.chmod(0o600)
    return path


def founded(world):
    """`init` with the founder's request; the domain never sees a key."""
    for who in ROLES:
        done = world.run("person", "request", "--id", who, "--org", ORGANISATIONS[who], "-o", world.folder / who)
        if done.returncode: wrong(f"request: {done.stderr}")
    bad = world.folder / "bad"
    keystore = ["--keystore", "passphrase", "--passphrase-file", secret(world)]
    done = world.run("init", bad, "--name", "wuxi", "--founder-csr", world.file("no.pem", "no request"), *keystore)
    if done.returncode != 2 or bad.exists(): wrong(f"a bad request: {done.returncode} {done.stderr}, left: {bad.exists()}")
    done = world.run("init", world.dir, "--name", "wuxi", "--default-schema", "city",
                     "--founder-csr", world.folder / "adam" / "request.pem", *keystore)
    if done.returncode: raise SystemExit(done.stderr)
    founder = world.dir / "people" / "founder"
    if (founder / "key.pem").exists(): wrong("the domain wrote the founder's key")
    for name in ("cert.pem", "ca.pem", "profile.toml"): (world.folder / "adam" / name).write_bytes((founder / name).read_bytes())
    text = (world.folder / "adam" / "profile.toml").read_text()
    text = re.sub(r'endpoint = ".*"', f'endpoint = "https://{world.flight}"', text)
    (world.folder / "adam" / "profile.toml").write_text(re.sub(r'admin = ".*"', f'admin = "https://{world.admin}"', text))
    world.serve()


def enrol(world, who, *more):
    role, organisation = ROLES[who], ORGANISATIONS[who]
    world.does("adam", "person", "enrol", "--id", who, "--role", role, "--org", organisation, "--name", f"Real {who}",
               "--csr", world.folder / who / "request.pem", "-o", world.folder / who, *more)


def people(world):
    enrol(world, "sam", "--vetted")
    world.refused("sam", "domain", "show", code=3, told="identity.")
    world.does("adam", "person", "sign", "sam", "--until", world.day(500))
    for who in ("dana", "pia", "rex"): enrol(world, who)
    world.refused("adam", "person", "enrol", "--id", "eve", "--role", "regulator", "--org", "x", "--name", "Eve", "--vetted",
                  "--csr", world.folder / "rex" / "request.pem", told="register.vetted-by-nobody")
    world.does("sam", "person", "vet", "dana")
    world.does("adam", "person", "sign", "dana", "--until", world.day(500))
    operator = world.file("operator.json", {"id": "acme", "title": "Acme", "security_officer": None, "emergency_plan": False})
    world.does("dana", "operator", "register", "--file", operator)
    for who in ("ann", "bob"): enrol(world, who)
    for who in ("pia", "rex", "ann", "bob"):
        world.does("sam", "person", "vet", who)
        world.does("adam", "person", "sign", who, "--until", world.day(500))
    listed = world.does("rex", "person", "list")
    if "Real" in json.dumps(listed) or len(listed) != 7: wrong(f"people are listed as {listed}")


def papers(world):
    mlps = world.file("mlps.json", {"kind": "mlps", "title": "MLPS 3", "until": world.day(300)})
    plan = world.file("plan.json", {"kind": "emergency-plan", "title": "Plan", "until": world.day(300)})
    world.does("ann", "operator", "officer", "acme", "ann")
    world.does("ann", "operator", "evidence", "acme", "--file", mlps)
    world.does("ann", "operator", "plan", "acme", "--file", plan, "--drill-until", world.day(200))
    world.does("sam", "operator", "drill", "acme", "--next-until", world.day(280))
    world.does("dana", "operator", "assess", "acme", "--file", world.file("report.json", {"kind": "x", "title": "Report", "until": world.day(300)}))


def catalogue(world):
    items = "".join(f'[[item]]\nname = "{name}"\nkind = "{kind}"\ngrade = {grade}\nimpact = {{ degree = "{degree}", scope = "narrow" }}\n'
                    for name, kind, grade, degree in [("pid", "subject_id", 3, "serious"), ("district", "code", 1, "none"), ("cost", "amount", 2, "slight")])
    entry = world.file("visits.toml", '[dataset]\nname = "visits"\ntitle = "Visits"\nprovider = "health-bureau"\nsource = "register"\n'
                       f'sector = "medical"\nupdate = "daily"\nsubject = "pid"\n{items}')
    world.refused("dana", "dataset", "add", "--file", entry, told="register.not-proposed")
    world.does("pia", "dataset", "propose", "--file", entry)
    world.does("dana", "dataset", "add", "--file", entry)
    inbox = world.dir / "inbox"
    inbox.mkdir(exist_ok=True)
    with open(inbox / "visits.csv", "w", newline="") as file:
        rows = csv.writer(file); rows.writerow(["pid", "district", "cost"])
        rows.writerows([f"P{n:05}", f"D{n % 3}", 10 + n % 90] for n in range(3000))
    world.refused("adam", "dataset", "load", "city.visits", "--file", "../ca/ca.pem", code=3, told="management.inbox")
    world.does("adam", "dataset", "load", "city.visits", "--file", "visits.csv")
    if (inbox / "visits.csv").exists(): wrong("what was taken in still lies in the inbox")
    risk = world.file("risk.json", {"level": "low", "by": "third party", "until": world.day(300)})
    world.does("pia", "dataset", "assess", "city.visits", "--file", risk)
    world.does("pia", "dataset", "propose-grades", "city.visits", "--item", "district=slight/narrow")
    world.does("dana", "dataset", "confirm-grades", "city.visits", "--item", "district=1", "--reason", "public names of districts")


def imported(world):
    """A draft from a data file, held until it is confirmed; then forty entries from one list, and the list back."""
    data = world.folder / "patients.csv"
    with open(data, "w", newline="") as file:
        rows = csv.writer(file); rows.writerow(["病历号", "手机号", "诊断"])
        rows.writerows([f"B{n:08}", f"138{n * 7919 % 10**8:08}", f"canary-{n}"] for n in range(2000))
    draft = world.folder / "patients.toml"
    words = ["--dataset", "patients", "--title", "Patients", "--provider", "health-bureau", "--source", "x", "--sector", "medical", "--update", "daily"]
    done = world.run("dataset", "describe", data, *words, "-o", draft)
    text = draft.read_text()
    if done.returncode or "canary" in text + done.stdout: wrong(f"describe: {done.stderr} {text}")
    if 'subject = "病历号"' not in text or 'kind = "phone"' not in text: wrong(f"the draft: {text}")
    before = entries(world)
    world.refused("pia", "dataset", "propose", "--file", draft, code=2, told="item `手机号`: what it is (kind phone, grade 2) is a guess")
    if entries(world) != before: wrong("an unconfirmed draft is on record")
    draft.write_text(text.replace("unconfirmed = true\n", ""))
    world.does("pia", "dataset", "propose", "--file", draft)
    world.does("dana", "dataset", "add", "--file", draft)
    headings = "数据集,数据集名称,提供单位,来源,领域,更新周期,主体项,数据项,类型,等级,影响程度,影响范围\n"
    rows = [f"d{n},表 {n},health-bureau,register,医疗,每日,编号,编号,主体标识,3,严重影响,较小范围\nd{n},,,,,,,区,代码,1,无影响,较小范围\n" for n in range(40)]
    listed = world.folder / "list.csv"
    def take(who, content, step, done, already):
        listed.write_text(headings + content)
        before, told = entries(world), world.does(who, "dataset", "import", listed)
        if (told["step"], len(told["done"]), len(told["already"])) != (step, done, already): wrong(f"{who} imports: {told}")
        if entries(world) != before + done: wrong(f"{entries(world) - before} entries for {done} steps")
    def refused(who, content, code, told):
        listed.write_text(headings + content)
        before = entries(world)
        world.refused(who, "dataset", "import", listed, code=code, told=told)
        if entries(world) != before: wrong(f"a refused list left {entries(world) - before} entries")
    whole = "".join(rows)
    refused("pia", whole.replace("代码,1,无影响", "代码,9,无影响", 1), 2, "row 3, item `区`, grade")
    refused("pia", whole.replace("严重影响,较小范围", ",", 1), 2, "item `编号`: say what harm a leak would do")
    refused("rex", whole, 3, "policy.action-not-permitted")
    take("pia", "".join(rows[:25]), "propose", 25, 0)
    refused("pia", whole.replace("代码,1,无影响", "代码,2,轻微影响", 1), 2, "it is proposed, and differs in item `区`")
    take("pia", whole, "propose", 15, 25)
    take("pia", whole, None, 0, 40)
    took = time.monotonic(); take("dana", whole, "add", 40, 0); took = time.monotonic() - took
    take("dana", whole, None, 0, 40)
    refused("dana", whole.replace("代码,1,无影响", "代码,2,轻微影响", 1), 2, "it is in the catalogue, and differs in item `区`")
    known = len(world.does("dana", "dataset", "list"))
    for form in ("csv", "json", "toml"):
        out = world.folder / f"catalogue.{form}"
        told = world.does("dana", "dataset", "export", "-o", out)
        before, back = entries(world), world.does("dana", "dataset", "import", out)
        if told["datasets"] != known or len(back["already"]) != known or entries(world) != before: wrong(f"{form}: {told} {back}")
        checked = world.does("dana", "dataset", "import", out, "--check")
        if checked["already"] != known: wrong(f"{form}: {checked}")
    print(f"40 entries imported in {took:.2f} s")


def application(world, licence, **more):
    documents = [{"kind": kind, "title": kind, "until": world.day(300)} for kind in ("returns", "security", "disposal")]
    return world.file(f"{licence}.json", {"id": licence, "operator": "acme", "mode": "sectoral", "sectors": ["medical"],
                                          "agreement": "A-1", "documents": documents, **more})


def licence(world):
    world.does("dana", "licence", "announce", "--file", world.file("call.json", {
        "id": "call-1", "title": "Medical data", "mode": "sectoral", "sectors": ["medical"], "from": world.day(), "until": world.day(30)}))
    term = {"from": world.day(), "until": world.day(120), "announcement": "call-1"}
    world.licence_until = term["until"]
    world.does("ann", "licence", "apply", "--file", application(world, "l-1", **term))
    world.does("sam", "licence", "review", "l-1")
    world.refused("dana", "licence", "grant", "l-1", told="register.")
    world.refused("dana", "licence", "notice", "l-1", "--until", world.day(1), told="register.notice")
    world.does("dana", "licence", "notice", "l-1", "--until", world.day(14))
    world.does("bob", "objection", "lodge", "o-1", "--licence", "l-1", "--reason", "the term is too long")
    world.later(15)
    world.refused("dana", "licence", "grant", "l-1", told="register.objection")
    world.refused("bob", "objection", "answer", "o-1", "--reason", "mine", code=3, told="policy.action-not-permitted")
    world.does("dana", "objection", "answer", "o-1", "--reason", "within two years")
    world.does("dana", "licence", "grant", "l-1")


def scenario(world):
    wanted = world.file("care.toml", '[scenario]\nid = "care"\nlicence = "l-1"\ntitle = "Cost of care"\npurpose = "public interest"\n'
                        'members = ["ann"]\n[[scenario.dataset]]\nname = "visits"\nitems = ["*"]\naggregate = ["cost"]\nrows = "district IN (\'D0\', \'D1\')"\n')
    world.does("ann", "scenario", "apply", "--file", wanted)
    for aspect, by in [("reasonableness", "dana"), ("compliance", "dana"), ("security", "sam")]:
        world.does(by, "scenario", "review", "care", "--aspect", aspect)
    world.does("dana", "scenario", "approve", "care")
    answers(world, 2)


SQL = "SELECT district, avg(cost) FROM visits GROUP BY district"


def answers(world, rows):
    code, told = world.query("ann", SQL)
    if code or len(json.loads(told)["rows"]) != rows: wrong(f"the query: {code} {told}")


def suspension(world):
    world.does("sam", "licence", "suspend", "l-1", "--cause", "unsafe", "--rectify-by", world.day(20), "--reason", "no log kept")
    code, told = world.query("ann", SQL)
    if code != 3 or "policy.licence-not-granted" not in told: wrong(f"the query while suspended: {code} {told}")
    world.refused("sam", "licence", "rectified", "l-1", code=3, told="policy.action-not-permitted")
    world.does("dana", "licence", "rectified", "l-1")
    answers(world, 2)
    world.does("ann", "scenario", "report-risk", "care", "--reason", "joined tables name people")
    code, told = world.query("ann", SQL)
    if code != 3 or "policy.scenario-not-granted" not in told: wrong(f"the query after the report: {code} {told}")
    world.does("dana", "scenario", "resume", "care")
    world.does("sam", "person", "suspend", "ann", "--reason", "under inquiry")
    if world.query("ann", SQL)[0] not in (3, 4): wrong("a suspended person was answered")
    world.does("dana", "person", "reinstate", "ann")
    answers(world, 2)


def export(world, *what, profile=None):
    """An export as ann: its folder and how it ended."""
    world.exports = getattr(world, "exports", 0) + 1
    package = world.folder / f"package-{world.exports}"
    return package, world.run("export", "-p", profile or world.profile("ann"), "--scenario", "care", "-o", package, *what)


def no_export(world, *what, told, profile=None):
    package, done = export(world, *what, profile=profile)
    if done.returncode != 3 or told not in done.stderr or package.exists(): wrong(f"export {what}: {done.returncode} {done.stderr}")


def product(world):
    validation = {"kind": "validation", "title": "Checked", "until": world.day(200)}
    listed = {"id": "p-1", "form": "report", "scenario": "care", "title": "Cost of care", "benefit": "public", "validation": validation}
    no_export(world, SQL, told="egress.no-product")
    typed = world.file("typed.json", {**listed, "plan": "0" * 64, "disclosure": "0" * 64})
    world.refused("ann", "product", "register", "--file", typed, code=3, told="management.made-by-the-domain")
    entry = world.file("product.json", listed)
    world.refused("ann", "product", "register", "--file", entry, "--sql", "SELECT pid FROM visits", code=3, told="confine.rows-off")
    world.does("ann", "product", "register", "--file", entry, "--sql", SQL)
    report = world.does("dana", "product", "report", "p-1")
    if report["statement"] != SQL or report["found"]["content"]["rows"] != 2 or report["found"]["content"]["columns"][1]["sources"][0]["item"] != "cost":
        wrong(f"the report: {report}")
    if world.does("sam", "product", "report", "p-1") != report: wrong("the reviewers see different reports")
    world.refused("pia", "product", "report", "p-1", told="management.unknown", code=3)
    world.refused("ann", "product", "publish", "p-1", told="register.")
    no_export(world, "--product", "p-1", told="egress.no-product")
    no_export(world, SQL, told="egress.no-product")
    world.does("dana", "product", "review", "p-1", "--aspect", "compliance")
    world.refused("ann", "product", "certificate", "p-1", "-o", world.folder / "early", code=3, told="management.no-certificate")
    world.does("sam", "product", "review", "p-1", "--aspect", "security")
    no_export(world, "--product", "p-1", profile=world.afar("ann"), told="policy.product-not-published")
    world.does("ann", "product", "publish", "p-1")
    registered(world)
    from_afar(world)
    for what in ([SQL], ["--product", "p-1"]):
        package, done = export(world, *what)
        if done.returncode: wrong(f"export {what}: {done.stderr}"); continue
        said = json.loads(base64.b64decode(json.loads((package / "manifest.dsse.json").read_text())["payload"]))["predicate"]
        steps = [(step["by"], step["stage"]) for step in said["approvals"] if step["of"] == {"product": "p-1"}]
        if said["grant"].get("product") != "p-1" or steps != [("ann", "applied"), ("dana", "applied"), ("sam", "granted"), ("ann", "published")]:
            wrong(f"the manifest: {said['grant']} {steps}")
    no_export(world, SQL.replace("avg", "sum"), told="egress.no-product")
    world.does("sam", "product", "recall", "p-1", "--cause", "unsafe", "--reason", "a mistake in the method")
    no_export(world, "--product", "p-1", told="egress.no-product")
    no_export(world, "--product", "p-1", profile=world.afar("ann"), told="policy.product-not-published")


def registered(world):
    """The certificate of a product: who sees it has it, anybody verifies it, nobody forges it."""
    key = world.folder / "registration.pub.pem"
    shutil.copy(world.dir / "keys" / "manifest.pub.pem", key)
    for who in ("ann", "bob", "dana", "sam", "rex"):
        folder = world.folder / f"registration-{who}"
        world.does(who, "product", "certificate", "p-1", "-o", folder)
        verified = world.run("verify", folder, "--key", key, "--json")
        if verified.returncode: wrong(f"the certificate of p-1: {verified.stderr}"); continue
        said = json.loads(verified.stdout)["certificate"]
        if [(review["by"], review["aspect"]) for review in said["reviews"]] != [("dana", "compliance"), ("sam", "security")]:
            wrong(f"the certificate of p-1 says {said['reviews']}")
        if (said["product"]["id"], said["operator"], said["until"]) != ("p-1", "acme", world.licence_until): wrong(f"the certificate of p-1: {said}")
    world.refused("pia", "product", "certificate", "p-1", "-o", world.folder / "registration-pia", code=3, told="management.unknown")
    for before, after in ((b"Cost of care", b"Cost of cure"), (b'"by":"dana"', b'"by":"dora"')):
        forged = world.folder / f"forged-{after[-3:].hex()}"
        shutil.copytree(world.folder / "registration-ann", forged)
        envelope = json.loads((forged / "registration.dsse.json").read_text())
        said = base64.b64decode(envelope["payload"])
        if before not in said: wrong(f"the certificate of p-1 lacks {before}")
        envelope["payload"] = base64.b64encode(said.replace(before, after)).decode()
        (forged / "registration.dsse.json").write_text(json.dumps(envelope))
        done = world.run("verify", forged, "--key", key)
        if done.returncode == 0 or "manifest.signature" not in done.stderr: wrong(f"a forged certificate of p-1 verifies: {done.stdout}")


def from_afar(world):
    """Outside the domain: the plan of the published product, and nothing else above grade 1."""
    afar = world.afar("ann")
    done = world.run("query", "-p", afar, "--scenario", "care", "--format", "json", SQL)
    if done.returncode == 0: wrong(f"answered from afar: {done.stdout}")
    no_export(world, SQL, profile=afar, told="planner.")
    package, done = export(world, "--product", "p-1", profile=afar)
    if done.returncode: wrong(f"the published product from afar: {done.stderr}"); return
    key = world.folder / "registration.pub.pem"
    if world.run("verify", package, "--key", key).returncode: wrong("the package from afar does not verify")
    world.does("dana", "licence", "suspend", "l-1", "--cause", "unsafe", "--rectify-by", world.day(9), "--reason", "drill")
    no_export(world, "--product", "p-1", profile=afar, told="policy.licence-not-granted")
    world.does("dana", "licence", "rectified", "l-1")
    package, done = export(world, "--product", "p-1", profile=afar)
    if done.returncode: wrong(f"the published product from afar, put right: {done.stderr}")


def supervision(world):
    world.does("dana", "violation", "record", "v-1", "--operator", "acme", "--kind", "platform-rules", "--measure", "published", "--reason", "late report")
    public = world.does("bob", "violation", "list")
    if [(v["id"], v["operator"]) for v in public] != [("v-1", "acme")] or "late report" in json.dumps(public): wrong(f"the public list: {public}")
    world.does("dana", "violation", "lift", "v-1")
    world.does("bob", "objection", "lodge", "o-2", "--dataset", "city.visits", "--item", "cost", "--reason", "costs are wrong since May")
    world.does("dana", "objection", "answer", "o-2", "--upheld", "--reason", "will be loaded again")
    holidays = world.file("holidays.json", {"year": 2027, "off": ["2027-01-01"], "worked": []})
    world.does("adam", "domain", "holidays", "--file", holidays)


def renewal(world):
    again = {"from": world.day(106), "until": world.day(400), "renews": "l-1"}
    world.refused("ann", "licence", "apply", "--file", application(world, "l-2", **again), told="register.renewal-window")
    world.later(40)
    again = {"from": world.day(66), "until": world.day(300), "renews": "l-1"}
    world.does("ann", "licence", "apply", "--file", application(world, "l-2", **again))
    world.does("sam", "licence", "review", "l-2")
    world.does("dana", "licence", "notice", "l-2", "--until", world.day(10))
    world.later(11)
    world.does("dana", "licence", "grant", "l-2")
    answers(world, 2)


def requested(world, who, folder):
    """Another key of somebody's and its request, in a folder."""
    world.run("person", "request", "--id", who, "--org", ORGANISATIONS[who], "-o", world.folder / folder)
    return world.folder / folder


def takes(world, who, folder):
    """What is in a folder is theirs from here on."""
    for name in ("cert.pem", "key.pem"): (world.folder / who / name).write_bytes((folder / name).read_bytes())


def certificates(world):
    """Each renews their own and stays vetted; whom another gives a certificate is vetted again, the last who vets never."""
    own = requested(world, "ann", "ann2")
    said = world.does("ann", "person", "renew", "--csr", own / "request.pem", "-o", own)
    if not said["stands"]["person"]["vetted"]: wrong(f"who renewed their own is not vetted: {said}")
    if world.query("ann", SQL)[0] != 4: wrong("the old certificate still holds")
    takes(world, "ann", own)
    answers(world, 2)
    world.refused("ann", "person", "renew", "sam", "--csr", own / "request.pem", code=3, told="policy.action-not-permitted")
    stolen = requested(world, "sam", "stolen")
    for who in ("adam", "dana", "rex"):
        world.refused(who, "person", "renew", "sam", "--csr", stolen / "request.pem", "-o", stolen, code=1 if who == "adam" else 3,
                      told="register.only-security-authority" if who == "adam" else "policy.action-not-permitted")
    world.refused("adam", "person", "enrol", "--id", "eve", "--role", "security-authority", "--org", "x", "--name", "Eve", "--vetted",
                  "--csr", stolen / "request.pem", told="register.vetted-by-nobody")
    lost = requested(world, "dana", "dana2")
    said = world.does("adam", "person", "renew", "dana", "--csr", lost / "request.pem", "-o", lost)
    if said["stands"]["person"]["vetted"]: wrong(f"whom another gave a certificate is vetted: {said}")
    takes(world, "dana", lost)
    for step in (["licence", "grant", "x"], ["person", "vouch", "adam"], ["domain", "show"]):
        world.refused("dana", *step, code=3, told="identity.not-vetted")
    held = hashlib.sha256(ssl.PEM_cert_to_DER_cert((lost / "cert.pem").read_text())).hexdigest()
    world.refused("sam", "person", "vet", "dana", "--certificate", held[::-1], told="register.another-certificate")
    world.does("sam", "person", "vet", "dana", "--certificate", ":".join(held[n:n + 2].upper() for n in range(0, 64, 2)))
    world.does("dana", "domain", "show")
    security_authority_lost(world)
    world.does("adam", "person", "revoke", "bob", "--reason", "key lost")
    if world.ask("bob", "domain", "show")[0] != 4: wrong("a revoked certificate still holds")


def security_authority_lost(world):
    """The only one of the security authority loses the key; two of different roles vet another, who vets the first again."""
    if not any(owed["owed"] == "second-security-authority" for owed in world.does("rex", "domain", "overdue")): wrong("nobody is told that one alone vets")
    ROLES["sue"], ORGANISATIONS["sue"] = "security-authority", "cyber-bureau"
    requested(world, "sue", "sue")
    enrol(world, "sue")
    world.does("adam", "person", "sign", "sue", "--until", world.day(500))
    world.refused("dana", "person", "vouch", "sue", told="register.vetted-inside")
    world.does("adam", "person", "revoke", "sam", "--reason", "key lost")
    world.refused("adam", "person", "vouch", "sue", code=3, told="policy.action-not-permitted")
    world.does("dana", "person", "vouch", "sue")
    world.refused("dana", "person", "vouch", "sue", told="register.approved-already")
    world.refused("sue", "domain", "show", code=3, told="identity.not-vetted")
    if not world.does("rex", "person", "vouch", "sue").get("stands", {}).get("person", {}).get("vetted"): wrong("two did not vet")
    again = requested(world, "sam", "sam2")
    world.does("adam", "person", "renew", "sam", "--csr", again / "request.pem", "-o", again)
    takes(world, "sam", again)
    world.refused("sam", "domain", "show", code=3, told="identity.not-vetted")
    world.does("sue", "person", "vet", "sam")
    if sorted(world.does("sam", "domain", "show")["can_vet"]) != ["sam", "sue"]: wrong("not both vet")
    if any(owed["owed"] == "second-security-authority" for owed in world.does("rex", "domain", "overdue")): wrong("two vet, and a second is owed")


def destroyed(world):
    """The data is destroyed by three people; the certificate, which anybody checks without the domain."""
    held = [path for path in (world.dir / "data").rglob("*") if path.is_file()]
    asked = world.does("sam", "domain", "destroy", "--dataset", "city.visits", "--snapshot", "1", "--basis", "purpose-met")
    request = asked.get("request")
    world.refused("sam", "domain", "approve-destruction", request, code=3, told="policy.action-not-permitted")
    first = world.does("dana", "domain", "approve-destruction", request)
    if first.get("certificate") or not all(path.exists() for path in held): wrong(f"one approval destroyed: {first}")
    world.refused("dana", "domain", "approve-destruction", request, code=3, told="register.approved-already")
    second = world.does("rex", "domain", "approve-destruction", request)
    if not second.get("certificate"): wrong(f"two approvals did not destroy: {second}")
    gone = [path for path in held if not path.exists()]
    if not gone: wrong(f"every file of the data is still there: {held}")
    certificate, key = world.dir / "certificates" / str(request), world.folder / "manifest.pub.pem"
    shutil.copy(world.dir / "keys" / "manifest.pub.pem", key)
    verified = world.run("verify", certificate, "--key", key)
    if verified.returncode: wrong(f"the certificate: {verified.stdout}{verified.stderr}")
    forged = world.folder / "forged"
    shutil.copytree(certificate, forged)
    envelope = json.loads((forged / "certificate.dsse.json").read_text())
    said = base64.b64decode(envelope["payload"]).replace(b"city.visits", b"city.vesits")
    envelope["payload"] = base64.b64encode(said).decode()
    (forged / "certificate.dsse.json").write_text(json.dumps(envelope))
    if world.run("verify", forged, "--key", key).returncode == 0: wrong("a forged certificate verifies")
    return certificate / "certificate.dsse.json"


def sealed(world):
    """Sealed data: nobody operates on it, nothing of it goes, each file is as it was, and two of two roles open it."""
    unit = ("--dataset", "city.visits")
    answers(world, 2)
    world.does("sam", "domain", "seal", *unit, "--basis", "investigation", "--until", world.day(2))
    code, told = world.query("ann", SQL)
    if code not in (3, 4): wrong(f"sealed data is answered: {code} {told}")
    world.refused("sam", "domain", "destroy", *unit, "--snapshot", "1", "--basis", "order", code=3, told="register.sealed")
    world.refused("sam", "domain", "seal", *unit, "--basis", "order", "--until", world.day(9), told="register.sealed-already")
    if not world.does("rex", "domain", "seal-check", *unit).get("holds"): wrong("a sealed file is not as it was")
    for file in sorted((world.dir / "data" / "city.visits").glob("*.parquet")):
        before = file.read_bytes()
        file.write_bytes(before[:-9] + bytes([before[-9] ^ 1]) + before[-8:])
        world.refused("dana", "domain", "seal-check", *unit, told="not what was sealed")
        file.write_bytes(before)
    world.does("sam", "domain", "extend-seal", *unit, "--until", world.day(3))
    world.refused("sam", "domain", "extend-seal", *unit, "--until", world.day(2), told="register.seal-shorter")
    world.refused("sam", "domain", "release-seal", *unit, told="register.seal-holds")
    world.later(4)
    if world.query("ann", SQL)[0] not in (3, 4): wrong("the day alone opened a seal")
    if not any(owed["owed"] == "seal" for owed in world.does("rex", "domain", "overdue")): wrong("nobody is told of a seal whose day is over")
    released(world, unit)
    answers(world, 2)
    seal_killed(world)
    answers(world, 2)


def released(world, unit):
    world.does("sam", "domain", "release-seal", *unit)
    world.does("dana", "domain", "approve-release", *unit)
    world.refused("dana", "domain", "approve-release", *unit, told="register.approved-already")
    world.does("rex", "domain", "approve-release", *unit)


def seal_killed(world):
    """The gateway is killed while it seals: the seal stands with its whole list, or not at all."""
    unit, stood = ("--scenario", "care"), 0
    for wait in (0.005, 0.02, 0.08):
        asking = subprocess.Popen([world.bonded, "domain", "seal", *unit, "--basis", "incident", "--until", world.day(), "-p", world.profile("sam")],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=world.environment())
        time.sleep(wait)
        world.process.kill(); world.process.wait()
        asking.wait(30)
        world.serve()
        if not world.does("rex", "domain", "seals"): continue
        stood += 1
        found = world.does("rex", "domain", "seal-check", *unit)
        if not found.get("holds") or not found.get("files"): wrong(f"a seal that was killed stands in part: {found}")
        world.later(1)
        released(world, unit)
    print(f"killed 3 times while it sealed: {stood} seals stand, each whole")


def the_end(world):
    world.does("ann", "scenario", "close", "care", "--cause", "purpose-met")
    overdue = world.does("rex", "domain", "overdue")
    if not any(owed["owed"] == "destruction" for owed in overdue): wrong(f"nobody owes a destruction: {overdue}")
    proof = destroyed(world)
    world.does("sam", "domain", "destroyed", "--scenario", "care", "--certificate", proof)
    world.does("ann", "licence", "surrender", "l-2")
    world.does("dana", "licence", "terminate", "l-1", "--cause", "ordered", "--reason", "the call is over")


def documents(world):
    made = lambda name, content: world.file(f"dummy-{name}.json", content)
    paper = made("paper", {"kind": "x", "title": "x", "until": world.day(9)})
    dataset = {"name": "city.x", "title": "x", "provider": "health-bureau", "source": "x", "sector": "medical", "update": "daily",
               "subject": None, "risk": None, "external": False, "prohibited": None, "items": []}
    scenario = {"id": "x", "licence": "x", "title": "x", "purpose": "x", "members": [], "datasets": []}
    product = {"id": "x", "form": "api", "scenario": "x", "title": "x", "benefit": "public", "validation": json.loads(paper.read_text())}
    call = {"id": "x", "title": "x", "mode": "comprehensive", "from": world.day(), "until": world.day(1)}
    return {"PAPER": paper, "DATASET": made("dataset", dataset), "SCENARIO": made("scenario", scenario), "PRODUCT": made("product", product),
            "CALL": made("call", call), "OPERATOR": made("operator", {"id": "x", "title": "x", "security_officer": None, "emergency_plan": False}),
            "LICENCE": application(world, "x", **{"from": world.day(), "until": world.day(9)}), "RISK": made("risk", {"level": "low", "by": "x", "until": world.day(9)}),
            "HOLIDAYS": made("holidays", {"year": 2028, "off": [], "worked": []}), "CSR": world.folder / "rex" / "request.pem", "DAY": world.day(9), "LIST": world.file("dummy.csv", "x\n1\n")}


# Each step and who may ask for it; everybody else is refused by policy, before the register looks at anything.
STEPS = """
adam: person enrol --id x --role regulator --org x --name x --csr CSR | person renew x --csr CSR | person revoke x --reason x
adam: backup create | person sign x --until DAY | person dismiss x | dataset load city.x --file x | domain holidays --file HOLIDAYS
sam: person vet x | operator drill x --next-until DAY | licence review x | scenario review x --aspect security
sam: product review x --aspect security | domain destroyed --licence x --certificate PAPER
sam: domain destroy --dataset city.visits --snapshot 1 --basis order
dana rex: domain approve-destruction 1 | person vouch x
sam: domain seal --dataset city.visits --basis order --until DAY | domain extend-seal --dataset city.visits --until DAY
adam sam: domain release-seal --dataset city.visits
dana rex: domain approve-release --dataset city.visits
dana sam rex: domain seal-check --dataset city.visits
dana: operator register --file OPERATOR | operator assess x --file PAPER | dataset add --file DATASET | dataset confirm-grades city.x --item x=1
dana: dataset prohibit city.x --reason x | dataset reinstate city.x | dataset withdraw city.x --reason x | licence announce --file CALL
dana: licence notice x --until DAY | licence grant x | licence rectified x | licence terminate x --cause ordered --reason x
dana: scenario review x --aspect compliance | scenario review x --aspect reasonableness | scenario approve x | scenario resume x
dana: product review x --aspect compliance | objection answer x --reason x | violation lift x
ann bob: operator evidence acme --file PAPER | operator officer acme x | operator plan acme --file PAPER --drill-until DAY
ann bob: licence apply --file LICENCE | licence surrender x | scenario apply --file SCENARIO | scenario report-risk x --reason x
ann bob: product register --file PRODUCT | product publish x | workspace drop x --scenario x | materialise --name x --scenario x SELECT
ann bob: external submit --scenario care --file LIST --entry DATASET --purpose x --source x --agreement PAPER | external withdraw x
sam: external review x --aspect security
dana: external review x --aspect lawfulness
dana sam: external refuse x --reason x
dana sam rex: external report x
pia: dataset propose --file DATASET | dataset propose-grades city.x --item x=none/narrow
dana sam: person suspend x --reason x | person reinstate x | dataset suspend city.x --reason x | licence refuse x --reason x
dana sam: licence suspend x --cause unsafe --rectify-by DAY --reason x | scenario suspend x --cause unsafe --reason x
dana sam: scenario refuse x --reason x | product refuse x --reason x | violation record x --operator x --kind other-breach --measure closed --reason x
pia dana: dataset assess city.x --file RISK
ann bob dana sam: scenario close x --cause ordered | product recall x --cause ordered --reason x
ann bob dana: objection lodge x --licence x --reason x
adam dana sam rex: domain overdue
"""


def wrong_roles(world):
    """Every step by everybody who may not: refused by policy, and nothing of it on record."""
    known, before, tried = documents(world), entries(world), 0
    for line in filter(None, STEPS.splitlines()):
        may, steps = line.split(": ", 1)
        for step in steps.split(" | "):
            words = [str(known.get(word, word)) for word in step.split()]
            for who in ROLES:
                if who in may.split(): continue
                world.refused(who, *words, code=3, told="policy.action-not-permitted")
                tried += 1
    if entries(world) != before: wrong(f"{entries(world) - before} entries of steps that were refused")
    print(f"{tried} steps by the wrong role refused")


def entries(world):
    return json.loads(world.run("ledger", "head", "--dir", world.dir, "--json").stdout)["size"]


def follow(world):
    """The platform's feed: everything so far, then what comes."""
    process = subprocess.Popen([world.bonded, "domain", "follow", "-p", world.profile("rex")], stdout=subprocess.PIPE, text=True, env=world.environment())
    came, size = [], entries(world)
    reading = threading.Thread(target=lambda: [came.append(json.loads(line)) for line in process.stdout], daemon=True)
    reading.start()
    until = time.monotonic() + 20
    while len(came) < size and time.monotonic() < until: time.sleep(0.05)
    began = time.monotonic()
    done = world.does("dana", "violation", "record", "v-9", "--operator", "acme", "--kind", "other-breach", "--measure", "published", "--reason", "x")
    while (not came or came[-1]["index"] < done["index"]) and time.monotonic() < until: time.sleep(0.005)
    if [entry["index"] for entry in came] != list(range(done["index"] + 1)): wrong(f"{len(came)} entries followed, {done['index']} is the last")
    print(f"{len(came)} entries followed, the last {time.monotonic() - began:.2f} s after it was asked for")
    world.does("sam", "person", "suspend", "rex", "--reason", "drill")
    process.wait(5)
    if process.returncode != 3: wrong(f"a suspended follower ended with {process.returncode}")
    world.does("dana", "person", "reinstate", "rex")
    code, told = world.ask("ann", "domain", "follow")
    if code != 3: wrong(f"an operator's member follows: {code} {told}")


def main():
    given = d.arguments(__doc__.splitlines()[0])
    with d.temporary() as folder:
        world = World(given.bonded, folder)
        try:
            founded(world)
            for stage in (people, papers, catalogue, imported, licence, scenario, suspension, product, supervision, wrong_roles, follow, renewal, certificates, sealed, the_end):
                began, wrongs = time.monotonic(), len(WRONG)
                stage(world)
                print(f"{stage.__name__}: {time.monotonic() - began:.1f} s, {len(WRONG) - wrongs} wrong")
        finally:
            world.stop()
        for words in (["ledger", "verify"], ["ledger", "audit"]):
            done = world.run(*words, "--dir", world.dir)
            if done.returncode: wrong(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        print(f"{world.steps} steps on record, {entries(world)} entries")
    print(f"{len(WRONG)} failed")
    return bool(WRONG)


if __name__ == "__main__": sys.exit(main())
