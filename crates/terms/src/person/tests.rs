use super::*;

#[test]
fn a_role_is_written_as_its_word_in_json_too() {
    for role in Role::ALL {
        let json = serde_json::Value::from(role.word());
        assert_eq!(serde_json::to_value(role).unwrap(), json);
        assert_eq!(serde_json::from_value::<Role>(json).unwrap(), role);
    }
    for word in [
        "",
        "admin",
        "OperatorMember",
        "operator_member",
        "domain-administrator",
    ] {
        assert!(
            serde_json::from_value::<Role>(word.into()).is_err(),
            "{word:?}"
        );
    }
}

#[test]
fn only_an_operator_member_works_for_an_operator() {
    for role in Role::ALL {
        let person = Person {
            id: "ann".parse().unwrap(),
            role,
            organisation: "op-a".to_owned(),
            vetted: true,
            nda_until: None,
            standing: Standing::Active,
        };
        let expect = (role == Role::OperatorMember).then(|| "op-a".parse().unwrap());
        assert_eq!(person.operator(), expect, "{}", role.word());
    }
}

#[test]
fn an_organisation_that_is_no_operator_id_is_no_operator() {
    let person = Person {
        id: "ann".parse().unwrap(),
        role: Role::OperatorMember,
        organisation: "Acme Data Ltd.".to_owned(),
        vetted: true,
        nda_until: None,
        standing: Standing::Active,
    };
    assert_eq!(person.operator(), None);
}
