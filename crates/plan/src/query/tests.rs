//! Well-typed plans: types derived as predicted, kept by bytes and by binding; one digest a plan.

mod well_typed; // plans whose types are known while they are made

use super::*;
use crate::{Accept, Bounds, Literal, Unbindable};
use proptest::{collection::vec, prelude::*};
use terms::Type;
use well_typed::{Typed, Writer};

const ACCEPTED: [Accept; 2] = [Accept::Draft, Accept::Confined];

/// The numbers a plan is made of, one a choice; where they end, the simplest is chosen.
fn choices() -> impl Strategy<Value = Vec<u16>> {
    vec(any::<u16>(), 0..240)
}

fn made(choices: &[u16], accept: Accept) -> Typed {
    Writer::new(choices, accept).plan()
}

/// A value for a parameter of this type.
fn value(data_type: Type) -> Literal {
    match data_type {
        Type::Bool => Literal::Bool(true),
        Type::Int => Literal::Int(-1),
        Type::Float => Literal::Float(0.5_f64.to_bits()),
        Type::Decimal { precision, scale } => Literal::Decimal {
            unscaled: 1,
            precision,
            scale,
        },
        Type::Text => Literal::Text("值".to_owned()),
        Type::Date => Literal::Date(0),
        Type::Timestamp => Literal::Timestamp(0),
        Type::Interval | Type::Witness => Literal::Null(data_type),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn types_are_derived_as_the_plan_was_made(choices in choices()) {
        for accept in ACCEPTED {
            let made = made(&choices, accept);
            let fields = made.plan.fields();
            prop_assert_eq!(fields.as_ref(), Ok(&made.fields), "{}", made.plan.print());
        }
    }

    #[test]
    fn a_well_typed_plan_comes_back_from_its_bytes_with_its_types(choices in choices()) {
        for accept in ACCEPTED {
            let made = made(&choices, accept);
            let bytes = made.plan.encode();
            let again = Plan::decode(&bytes, accept, &Bounds::default()).unwrap();
            prop_assert_eq!(&again, &made.plan);
            prop_assert_eq!(again.encode(), bytes);
            prop_assert_eq!(again.fields(), Ok(made.fields));
        }
    }

    #[test]
    fn a_digest_is_shared_by_equal_plans_alone(
        choices in choices(),
        (at, other) in (any::<prop::sample::Index>(), any::<u16>()),
    ) {
        let mut changed = choices.clone();
        if !changed.is_empty() {
            let at = at.index(changed.len());
            changed[at] = other;
        }
        for accept in ACCEPTED {
            let (one, two) = (made(&choices, accept).plan, made(&changed, accept).plan);
            let equal = one == two;
            prop_assert_eq!(one.encode() == two.encode(), equal);
            prop_assert_eq!(one.digest() == two.digest(), equal);
        }
    }

    #[test]
    fn binding_keeps_every_type(choices in choices()) {
        let made = made(&choices, Accept::Draft);
        prop_assert_eq!(made.plan.parameters(), Ok(made.parameters.clone()));
        let values: Vec<Literal> = made.parameters.iter().copied().map(value).collect();
        let bound = made.plan.bind(&values).unwrap();
        prop_assert_eq!(bound.parameters(), Ok(vec![]));
        prop_assert_eq!(bound.digest() == made.plan.digest(), made.parameters.is_empty());
        for (after, before) in bound.fields().unwrap().iter().zip(&made.fields) {
            prop_assert_eq!(after.data_type, before.data_type);
            prop_assert!(before.nullable || !after.nullable);
        }
    }

    #[test]
    fn binding_nulls_changes_no_field(choices in choices()) {
        let made = made(&choices, Accept::Draft);
        let nulls: Vec<Literal> = made.parameters.iter().copied().map(Literal::Null).collect();
        prop_assert_eq!(made.plan.bind(&nulls).unwrap().fields(), Ok(made.fields));
    }

    #[test]
    fn one_value_too_many_binds_nothing(choices in choices()) {
        let made = made(&choices, Accept::Draft);
        let mut values: Vec<Literal> = made.parameters.iter().copied().map(value).collect();
        values.push(Literal::Bool(true));
        let (given, wanted) = (values.len(), made.parameters.len());
        prop_assert_eq!(made.plan.bind(&values), Err(Unbindable::Count { given, wanted }));
    }
}

#[test]
fn only_a_threshold_alone_is_a_count() {
    assert!(Check::of(5).is_count());
    let dominance = Some(Dominance {
        share_percent: 85,
        rest_percent: 10,
    });
    let more = [
        Check {
            dominance,
            ..Check::of(5)
        },
        Check {
            once: true,
            ..Check::of(5)
        },
        Check {
            spread: true,
            ..Check::of(5)
        },
        Check {
            freedom: 1,
            ..Check::of(5)
        },
    ];
    for check in more {
        assert!(!check.is_count(), "{check:?}");
    }
}
