use super::*;
use crate::{
    certificates::{FOLDER, policy},
    stage::{Stage as Set, event},
};
use manifest::SealedCertificate;
use serde_json::{Value, json};
use std::path::PathBuf;

fn product() -> Value {
    json!({"id": "p-1", "form": "report", "scenario": "s", "title": "x", "benefit": "industry",
        "fee": {"unit": "month", "cents": 100}, "plan": Digest::of(b"plan"),
        "disclosure": Digest::of(b"report"),
        "validation": {"kind": "validation", "title": "x", "until": "2027-12-31"}})
}

fn step(by: &str, stage: &str, reviews: &[(&str, &str)]) -> Event {
    let review =
        |(by, aspect): &(&str, &str)| json!({"by": by, "aspect": aspect, "on": "2026-12-01"});
    let reviews: Vec<Value> = reviews.iter().map(review).collect();
    event(
        json!({"event": "product-step", "by": by, "stage": stage, "product": product(),
        "course": {"since": "2026-12-01", "reviews": reviews}}),
    )
}

/// A domain whose product is found in order by one authority, or by both.
async fn reviewed(by_both: bool) -> Set {
    let set = Set::set().await;
    let one = ("dana", "compliance");
    set.stand(step("ann", "applied", &[])).await;
    set.stand(step("dana", "applied", &[one])).await;
    if by_both {
        set.stand(step("sam", "granted", &[one, ("sam", "security")]))
            .await;
    }
    set
}

fn p() -> ProductId {
    "p-1".parse().unwrap()
}

fn whole(domain: &Domain) -> PathBuf {
    domain.dir.join(FOLDER).join("product-p-1")
}

fn part(domain: &Domain) -> PathBuf {
    domain.dir.join(FOLDER).join("product-p-1.part")
}

fn key(domain: &Domain) -> String {
    std::fs::read_to_string(domain.dir.join("keys/manifest.pub.pem")).unwrap()
}

fn code(domain: &Domain) -> &'static str {
    let verified = manifest::verify_registration(&whole(domain), &key(domain), None);
    verified.map_or_else(|broken| broken.code(), |_| "holds")
}

/// How often the log says that it is certified, and whether the one that stands is the last of these.
fn on_record(domain: &Domain) -> (usize, bool) {
    let events = domain.ledger.events(0).unwrap();
    let all: Vec<_> = events
        .filter_map(|stored| Registration::on_record(&stored.unwrap().event))
        .collect();
    let stands = domain.live.read().state.product(&p()).unwrap().certificate;
    (all.len(), stands == all.last().copied())
}

#[tokio::test]
async fn what_two_authorities_approved_is_certified_once() {
    let set = reviewed(false).await;
    let domain = &set.gateway.domain;
    domain.certify_owed().await.unwrap();
    assert_eq!(on_record(domain), (0, true));
    let refused = domain.certificate_of(&p()).unwrap_err();
    assert_eq!(refused.code, "management.no-certificate");
    let reviews = [("dana", "compliance"), ("sam", "security")];
    set.stand(step("sam", "granted", &reviews)).await;
    domain.certify_owed().await.unwrap();
    domain.certify_owed().await.unwrap();
    assert_eq!(on_record(domain), (1, true));
    let log = policy(domain);
    let verified = manifest::verify_registration(&whole(domain), &key(domain), Some(&log)).unwrap();
    let said = verified.certificate;
    assert_eq!(serde_json::to_value(&said.product).unwrap(), product());
    assert_eq!((said.operator.as_str(), said.licence.as_str()), ("op", "l"));
    let by: Vec<_> = said
        .reviews
        .iter()
        .map(|review| (review.by.as_str(), review.aspect.word(), review.index))
        .collect();
    let granted = said.approved.index;
    let wanted = [
        ("dana", "compliance", granted - 1),
        ("sam", "security", granted),
    ];
    assert_eq!(by, wanted);
    let licence = domain.live.read().state.licence(&said.licence).cloned();
    assert_eq!(said.until, licence.unwrap().licence.until);
    assert_eq!(domain.certificate_of(&p()).unwrap().len(), 4);
    // What is recalled later keeps the certificate that it had: offline it shows what stood then.
    set.stand(step("sam", "recalled", &reviews)).await;
    domain.certify_owed().await.unwrap();
    assert_eq!((on_record(domain), code(domain)), ((1, true), "holds"));
}

/// A crash after the review, after the certificate was signed, after it was on record, and before its
/// folder had its name.
#[tokio::test]
async fn a_certificate_that_was_cut_off_is_made_good_at_the_next_start() {
    for cut in 0..4 {
        let set = reviewed(true).await;
        let domain = &set.gateway.domain;
        if cut == 1 {
            let certificate = domain.registration(&p()).unwrap().unwrap();
            place(domain, &p()).sign(domain, certificate).unwrap();
        }
        if cut >= 2 {
            domain.certify(&p()).await.unwrap();
            if cut == 2 {
                std::fs::remove_file(whole(domain).join("ledger.tlog-proof")).unwrap();
            }
            std::fs::rename(whole(domain), part(domain)).unwrap();
        }
        domain.take_up_certificates().await.unwrap();
        domain.take_up_certificates().await.unwrap();
        assert_eq!(
            (on_record(domain), code(domain)),
            ((1, true), "holds"),
            "cut at {cut}"
        );
    }
}

/// A folder that cannot be written before the certificate is on record, and one that cannot get its name.
#[tokio::test]
async fn a_certificate_that_cannot_be_written_is_none_and_is_made_good() {
    for is_recorded in [false, true] {
        let set = reviewed(true).await;
        let domain = &set.gateway.domain;
        let in_its_way = if is_recorded {
            whole(domain)
        } else {
            part(domain)
        };
        std::fs::create_dir_all(domain.dir.join(FOLDER)).unwrap();
        std::fs::write(&in_its_way, "").unwrap();
        let why = domain.certify(&p()).await.unwrap_err();
        assert!(matches!(why, Uncertified::File { .. }), "{why}");
        assert_eq!(on_record(domain), (usize::from(is_recorded), true));
        std::fs::remove_file(&in_its_way).unwrap();
        domain.take_up_certificates().await.unwrap();
        assert_eq!((on_record(domain), code(domain)), ((1, true), "holds"));
    }
}

#[tokio::test]
async fn a_certificate_that_was_changed_or_is_of_another_domain_or_entry_does_not_hold() {
    let set = reviewed(true).await;
    let domain = &set.gateway.domain;
    domain.certify_owed().await.unwrap();
    assert_eq!(code(domain), "holds");
    for (name, expected) in [
        (Registration::FILE, "manifest.signature"),
        ("policy.tlog-policy", "manifest.digests"),
        ("ledger.entry.json", "manifest.inclusion"),
        ("ledger.tlog-proof", "manifest.inclusion"),
    ] {
        let path = whole(domain).join(name);
        let bytes = std::fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        let at = changed.len() / 3;
        changed[at] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert_eq!(code(domain), expected, "{name}");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(code(domain), "manifest.files", "{name}");
        std::fs::write(&path, bytes).unwrap();
    }
    // Another entry of the same log, with its proof.
    let other = domain.live.read().approvals.of_product(&p())[2].index;
    let leaf = domain.ledger.leaf(other).unwrap();
    let proof = domain.ledger.prove(other).unwrap().to_string();
    let of_it = |name: &str| std::fs::read(whole(domain).join(name)).unwrap();
    let (entry, proven) = (of_it("ledger.entry.json"), of_it("ledger.tlog-proof"));
    std::fs::write(whole(domain).join("ledger.entry.json"), leaf).unwrap();
    std::fs::write(whole(domain).join("ledger.tlog-proof"), proof).unwrap();
    assert_eq!(code(domain), "manifest.record");
    std::fs::write(whole(domain).join("ledger.entry.json"), entry).unwrap();
    std::fs::write(whole(domain).join("ledger.tlog-proof"), proven).unwrap();
    assert_eq!(code(domain), "holds");
    // Another domain's key, and its log.
    let another = Set::set().await;
    let other = &another.gateway.domain;
    let foreign = manifest::verify_registration(&whole(domain), &key(other), None);
    assert_eq!(foreign.unwrap_err().code(), "manifest.signature");
    let log = policy(other);
    let foreign = manifest::verify_registration(&whole(domain), &key(domain), Some(&log));
    assert_eq!(foreign.unwrap_err().code(), "manifest.log");
}

/// The manifest key alone certifies nothing: the log has to hold the approval of this very product.
#[tokio::test]
async fn what_was_not_approved_is_certified_by_no_key() {
    type Forge = fn(&mut Registration);
    let forgeries: [(Forge, &str); 8] = [
        (
            |said| said.product.plan = Some(Digest::of(b"another")),
            "manifest.record",
        ),
        (
            |said| said.product.id = "p-2".parse().unwrap(),
            "manifest.record",
        ),
        (
            |said| said.reviews[0].by = "dora".parse().unwrap(),
            "manifest.record",
        ),
        (|said| said.reviews[1].index -= 1, "manifest.record"),
        (|said| drop(said.reviews.pop()), "manifest.record"),
        (|said| said.approved.index -= 1, "manifest.inclusion"),
        (
            |said| said.approved.leaf = said.approved.leaf.replace("sam", "tom"),
            "manifest.inclusion",
        ),
        (|said| said.domain = "e".parse().unwrap(), "manifest.log"),
    ];
    for (number, (forge, expected)) in forgeries.into_iter().enumerate() {
        let set = reviewed(true).await;
        let domain = &set.gateway.domain;
        let mut said = domain.registration(&p()).unwrap().unwrap();
        forge(&mut said);
        let place = place(domain, &p());
        let sealed: SealedCertificate<Registration> = place.sign(domain, said).unwrap();
        let event = Event::ProductCertified {
            product: p(),
            certificate: sealed.digest(),
        };
        let index = domain
            .ledger
            .append(&event, None, now())
            .await
            .unwrap()
            .index;
        place.finish::<Registration>(domain, index).unwrap();
        assert_eq!(code(domain), expected, "forgery {number}");
    }
    // A product that one authority alone found in order, granted all the same.
    let set = Set::set().await;
    let domain = &set.gateway.domain;
    set.stand(step("ann", "applied", &[])).await;
    set.stand(step("sam", "granted", &[("sam", "security")]))
        .await;
    domain.certify_owed().await.unwrap();
    assert_eq!(code(domain), "manifest.record");
}

#[tokio::test]
async fn a_certificate_is_not_read_through_a_link() {
    let set = reviewed(true).await;
    let domain = &set.gateway.domain;
    domain.certify_owed().await.unwrap();
    let files = domain.certificate_of(&p()).unwrap();
    let key = domain.dir.join("keys/ledger.key");
    std::os::unix::fs::symlink(&key, whole(domain).join("more.json")).unwrap();
    let refused = domain.certificate_of(&p()).unwrap_err();
    assert_eq!(refused.code, "gateway.certificate");
    std::fs::remove_file(whole(domain).join("more.json")).unwrap();
    assert_eq!(domain.certificate_of(&p()).unwrap(), files);
    // The folder of it neither.
    std::fs::rename(whole(domain), part(domain)).unwrap();
    std::os::unix::fs::symlink(domain.dir.join("keys"), whole(domain)).unwrap();
    let refused = domain.certificate_of(&p()).unwrap_err();
    assert_eq!(refused.code, "gateway.certificate");
}
