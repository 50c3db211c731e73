use super::*;
use crate::{Command, Listing, State, stage::*};
use serde_json::json;
use terms::{Person, SealedFile};

fn unit() -> SealedUnit {
    "dataset/city.citizen".parse().unwrap()
}

fn rita() -> Person {
    let regulator = json!({"id": "rita", "role": "regulator", "organisation": "audit",
        "vetted": true, "nda_until": "2099-12-31"});
    read(regulator)
}

/// Somebody of a role who is nobody else.
fn of_role(id: &str, role: &str) -> Person {
    read(
        json!({"id": id, "role": role, "organisation": "x", "vetted": true,
        "nda_until": "2099-12-31"}),
    )
}

fn files(many: u32) -> Vec<SealedFile> {
    let dataset: DatasetName = "city.citizen".parse().unwrap();
    let file = |snapshot| SealedFile {
        dataset: dataset.clone(),
        snapshot,
        sha256: Digest::of(b""),
        bytes: u64::MAX,
    };
    (1..=many).map(file).collect()
}

fn sealing(many: u32) -> Command {
    Command::SealData {
        unit: unit(),
        basis: SealBasis::Order,
        until: noon().date_naive(),
        listing: Listing::of(files(many), |_| Digest::of(b"")),
    }
}

fn code(state: &State, by: &Person, command: Command, days: i64) -> &'static str {
    let at = noon() + chrono::Duration::days(days);
    state
        .judge(by, command, at)
        .map_or_else(|why| why.code(), |_| "lawful")
}

fn take(state: &mut State, by: &Person, command: Command, days: i64) {
    let at = noon() + chrono::Duration::days(days);
    for event in state.judge(by, command, at).unwrap() {
        state.apply(&event);
    }
}

/// Whatever of its entries a crash leaves, a seal stands whole or not at all.
#[test]
fn a_seal_stands_with_its_whole_list_or_not_at_all() {
    let state = catalogued();
    let events = state.judge(&sam(), sealing(400), noon()).unwrap();
    assert_eq!(events.len(), 4);
    for event in &events {
        let length = serde_json::to_string(event).unwrap().len();
        assert!(length < 60_000, "{length} bytes");
    }
    for cut in 0..events.len() {
        let mut state = state.clone();
        for event in &events[..cut] {
            state.apply(event);
        }
        assert!(!state.seals().stand(), "cut at {cut}");
        state
            .judge_destructible(&"city.citizen".parse().unwrap(), 1)
            .unwrap();
        // What it left is none of another seal's.
        take(&mut state, &sam(), sealing(2), 0);
        assert_eq!(
            state.seals().of(&unit()).unwrap().snapshots.len(),
            2,
            "cut at {cut}"
        );
    }
    let mut whole = state;
    for event in &events {
        whole.apply(event);
    }
    assert_eq!(whole.seals().of(&unit()).unwrap().snapshots.len(), 400);
}

#[test]
fn a_seal_only_grows_and_opens_for_two_others_of_different_roles_after_its_day() {
    let mut state = catalogued();
    let until = |days: i64| noon().date_naive() + chrono::Duration::days(days);
    let extend = |days| Command::ExtendSeal {
        unit: unit(),
        until: until(days),
    };
    let ask = || Command::RequestSealRelease(unit());
    let approve = || Command::ApproveSealRelease(unit());
    assert_eq!(code(&state, &sam(), ask(), 1), "register.not-sealed");
    take(&mut state, &sam(), sealing(1), 0);
    assert_eq!(
        code(&state, &sam(), sealing(1), 0),
        "register.sealed-already"
    );
    assert_eq!(code(&state, &sam(), extend(0), 0), "register.seal-shorter");
    take(&mut state, &sam(), extend(5), 0);
    assert_eq!(
        code(&state, &sam(), extend(367), 0),
        "register.seal-too-long"
    );
    assert_eq!(code(&state, &sam(), extend(4), 0), "register.seal-shorter");
    assert_eq!(code(&state, &sam(), ask(), 5), "register.seal-holds");
    assert_eq!(
        code(&state, &dora(), approve(), 6),
        "register.no-such-request"
    );
    take(&mut state, &sam(), ask(), 6);
    assert_eq!(code(&state, &sam(), ask(), 6), "register.release-asked");
    assert_eq!(code(&state, &sam(), approve(), 6), "register.own-request");
    // Who sealed it does not stop a release that is asked for.
    assert_eq!(code(&state, &sam(), extend(9), 6), "register.release-asked");
    assert_eq!(
        code(&state, &sam(), extend(400), 5),
        "register.release-asked"
    );
    take(&mut state, &dora(), approve(), 10);
    assert_eq!(
        code(&state, &dora(), approve(), 10),
        "register.approved-already"
    );
    let dan = of_role("dan", "data-authority");
    assert_eq!(code(&state, &dan, approve(), 10), "register.same-role");
    assert!(state.seals().stand());
    take(&mut state, &rita(), approve(), 10);
    assert!(!state.seals().stand());
    // Its day alone opens nothing, and is told.
    take(&mut state, &sam(), sealing(1), 0);
    let late = until(40);
    assert!(
        state
            .seals()
            .holds_dataset(&"city.citizen".parse().unwrap())
    );
    let owed = state.overdue(late);
    assert!(
        owed.iter()
            .any(|owed| owed.of == "dataset/city.citizen" && owed.owed == crate::Owed::Seal)
    );
}

#[test]
fn nothing_comes_into_a_sealed_dataset_and_no_snapshot_of_it_goes() {
    let mut state = catalogued();
    let name: DatasetName = "city.citizen".parse().unwrap();
    take(&mut state, &sam(), sealing(1), 0);
    let judged = state.judge(&adam(), load(snapshot(1)), noon());
    assert_eq!(judged.unwrap_err().code(), "register.sealed");
    for number in [1, 9] {
        let judged = state.judge_destructible(&name, number);
        assert_eq!(judged.unwrap_err().code(), "register.sealed");
    }
    assert_eq!(
        state.judge_prunable().unwrap_err().code(),
        "register.sealed"
    );
}

/// What was released after a backup is not known to who restores it.
#[test]
fn a_restore_seals_and_two_release_at_once() {
    let mut state = catalogued();
    let name: DatasetName = "city.citizen".parse().unwrap();
    let listing = || Listing::of(files(1), |_| Digest::of(b""));
    let today = noon().date_naive();
    let events = state.sealed_at_restore(&name, (today, listing())).unwrap();
    for event in &events {
        state.apply(event);
    }
    assert!(state.seals().holds_dataset(&name));
    assert_eq!(
        state.sealed_at_restore(&name, (today, listing())).unwrap(),
        []
    );
    take(&mut state, &sam(), Command::RequestSealRelease(unit()), 0);
    take(&mut state, &dora(), Command::ApproveSealRelease(unit()), 0);
    take(&mut state, &rita(), Command::ApproveSealRelease(unit()), 0);
    assert!(!state.seals().holds_dataset(&name));
    let asked = Command::SealData {
        unit: unit(),
        basis: SealBasis::Restored,
        until: today,
        listing: listing(),
    };
    assert_eq!(code(&state, &sam(), asked, 0), "register.seal-basis");
}

#[test]
fn what_moved_while_it_was_hashed_is_not_sealed() {
    let state = catalogued();
    let other: DatasetName = "city.other".parse().unwrap();
    let mut strange = files(1);
    strange[0].dataset = other;
    let sealing = Command::SealData {
        unit: unit(),
        basis: SealBasis::Order,
        until: noon().date_naive(),
        listing: Listing::of(strange, |_| Digest::of(b"")),
    };
    assert_eq!(code(&state, &sam(), sealing, 0), "register.seal-moved");
}
