use confine::Confined;
use terms::Notice;

/// What every response says whose groups may have been withheld.
pub(crate) const STANDING: &str =
    "small groups, if any, are withheld / 小于阈值的分组（如有）不予显示";

/// What is told of withheld groups. It follows from the plan alone.
///
/// INVARIANT (the notice is no answer): whether any was withheld, and how large it was, turns with one person
/// where a statement's groups are nine people known and one more.
pub(crate) fn told(confined: &Confined) -> Notice {
    if confined.notice_possible() {
        Notice::Standing
    } else {
        Notice::NotApplicable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage;

    #[test]
    fn the_notice_follows_from_the_plan() {
        assert_eq!(told(&stage::counted()), Notice::Standing);
        let values = stage::values(&[plan::Literal::Int(1)]);
        assert_eq!(told(&values), Notice::NotApplicable);
    }
}
