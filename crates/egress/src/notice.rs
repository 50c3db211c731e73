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
