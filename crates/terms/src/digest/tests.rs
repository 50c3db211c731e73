use super::*;
use proptest::prelude::*;

/// Source: FIPS 180-4 examples.
#[test]
fn known_answers() {
    assert_eq!(
        Digest::of(b"").to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        Digest::of(b"abc").to_string(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_running_hash_closes_to_the_same_value() {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    hash.update(b"a");
    hash.update(b"bc");
    assert_eq!(Digest::finished(hash), Digest::of(b"abc"));
}

#[test]
fn what_is_not_64_hexadecimal_digits_is_refused() {
    let text = "0".repeat(64);
    assert!(text.parse::<Digest>().is_ok());
    let refused = [
        "0".repeat(63),
        "0".repeat(65),
        "0".repeat(66),
        String::new(),
        format!("0x{}", "0".repeat(62)),
        "g".repeat(64),
        format!(" {}", "0".repeat(63)),
    ];
    for text in refused {
        let error = text.parse::<Digest>().unwrap_err();
        assert_eq!(
            (error.what, error.remedy.as_str()),
            ("digest", "64 hexadecimal digits")
        );
        assert!(serde_json::from_value::<Digest>(text.into()).is_err());
    }
}

proptest! {
    #[test]
    fn bytes_survive_writing_and_reading(bytes in any::<[u8; 32]>()) {
        let digest = Digest::from_bytes(bytes);
        prop_assert_eq!(digest.bytes(), &bytes);
        let text = digest.to_string();
        prop_assert!(text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        prop_assert_eq!(text.parse::<Digest>().unwrap(), digest);
        let json = serde_json::to_value(digest).unwrap();
        prop_assert_eq!(serde_json::from_value::<Digest>(json).unwrap(), digest);
        prop_assert_eq!(format!("{digest:?}"), format!("Digest({text})"));
    }
}
