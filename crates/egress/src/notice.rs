use confine::Confined;
use dispatch::Done;
use terms::Notice;

/// What every response says whose groups may have been withheld.
pub(crate) const STANDING: &str =
    "small groups, if any, are withheld / 小于阈值的分组（如有）不予显示";

/// What is told of withheld groups: the notice is an answer too.
pub(crate) fn told(confined: &Confined, done: &Done) -> Notice {
    if !confined.notice_possible() {
        Notice::NotApplicable
    } else if done.groups_withheld > 0 && done.withheld_holds_k {
        Notice::GroupsWithheld
    } else {
        Notice::Standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage;

    #[test]
    fn withheld_groups_are_told_only_where_together_they_hold_k() {
        let of = |confined: &Confined, groups_withheld, withheld_holds_k| {
            let done = Done {
                groups_withheld,
                withheld_holds_k,
                ..stage::DONE
            };
            told(confined, &done)
        };
        let counted = stage::counted();
        assert_eq!(of(&counted, 2, true), Notice::GroupsWithheld);
        assert_eq!(of(&counted, 1, true), Notice::GroupsWithheld);
        assert_eq!(of(&counted, 2, false), Notice::Standing);
        assert_eq!(of(&counted, 0, true), Notice::Standing, "there are none");
        assert_eq!(of(&counted, 0, false), Notice::Standing);
        let values = stage::values(&[plan::Literal::Int(1)]);
        assert_eq!(of(&values, 0, false), Notice::NotApplicable);
    }
}
