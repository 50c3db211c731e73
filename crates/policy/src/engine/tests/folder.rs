//! What a domain's own folder adds to the baseline, by the names of its files.

use super::*;
use terms::{Grade, Item, Kind, Mask};

const DISCLOSURE: &str = include_str!("../../../../../policies/disclosure.toml");
const TOKENS: &str = "[[mask]]\nkind = \"phone\"\ngrade = 2\nmask = \"token\"\nmost = \"token\"\n";

fn engine_of(files: &[(&str, &str)]) -> Engine {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    Engine::load(Some(folder.path()))
}

fn phone(engine: &Engine) -> Mask {
    let item = json!({"name": "phone", "kind": "phone", "grade": 2, "mask": null, "domain": null,
        "sharing": "conditional", "opening": "conditional", "data_type": "text"});
    let item: Item = serde_json::from_value(item).unwrap();
    assert_eq!((item.kind, item.grade), (Kind::Phone, Grade::Two));
    engine.masks().unwrap().of(&item)
}

fn freedom(engine: &Engine) -> u32 {
    let disclosure = engine.usable().unwrap().disclosure;
    disclosure.of(Grade::Two).freedom
}

#[test]
fn a_domains_disclosure_rules_go_by_their_name_and_every_other_table_is_of_masks() {
    let baseline = Engine::load(None);
    assert_eq!(phone(&baseline).to_string(), "partial(3,0)");
    assert_eq!(freedom(&baseline), 0);
    let strict = DISCLOSURE.replace("freedom = 0", "freedom = 20");
    let both = engine_of(&[("disclosure.toml", &strict), ("own.toml", TOKENS)]);
    assert_eq!(both.unusable(), None);
    assert_eq!(phone(&both), Mask::Token);
    assert_eq!(freedom(&both), 20);
    for files in [("own.toml", strict.as_str()), ("disclosure.toml", TOKENS)] {
        let engine = engine_of(&[files]);
        assert!(engine.unusable().is_some(), "{files:?}");
        assert!(matches!(engine.masks(), Err(Refusal::Unusable(_))));
    }
}

#[test]
fn the_digest_is_of_all_that_decides_and_of_nothing_else() {
    let baseline = Engine::load(None).digest();
    assert_eq!(Engine::load(Some(Path::new("/nowhere"))).digest(), baseline);
    assert_eq!(engine_of(&[("README.md", "notes")]).digest(), baseline);
    let forbid = r#"@id("own") forbid (principal, action, resource);"#;
    let engines = [
        engine_of(&[("own.cedar", forbid)]),
        engine_of(&[("own.toml", TOKENS)]),
        engine_of(&[("disclosure.toml", DISCLOSURE)]),
    ];
    let digests: BTreeSet<Digest> = engines.iter().map(Engine::digest).collect();
    assert!(engines.iter().all(|engine| engine.unusable().is_none()));
    assert_eq!(digests.len(), 3);
    assert!(!digests.contains(&baseline));
}
