use super::Rewrite;
use crate::{
    Cause, Unconfinable,
    label::Label,
    relation::{Column, Relation},
};
use plan::{Node, WindowCall, WindowFunction};
use std::collections::BTreeSet;

impl Rewrite<'_> {
    /// Windows see the masked view, aggregates in them too. Groups that still owe a threshold are
    /// withheld first, since a window would mix small groups into large ones.
    ///
    /// INVARIANT (a value is of who is counted for it): where rows may not show, a window over them stays
    /// within one subject. Any other would write what one row says into rows of k others, where nobody
    /// counts whose it is.
    pub(super) fn window(
        &mut self,
        input: &Node,
        calls: &[WindowCall],
    ) -> Result<Relation, Unconfinable> {
        let mut relation = self.relation(input, false)?.withhold();
        let hidden = self.hidden_rows(&relation)?;
        let shown = relation.columns.clone();
        let mut confined = Vec::with_capacity(calls.len());
        for call in calls {
            if let WindowFunction::Aggregate(function) = call.function
                && function.is_confined()
            {
                return Err(Cause::IllTyped.into());
            }
            let mut labels: Vec<Label> = Vec::new();
            let mut arguments = Vec::with_capacity(call.arguments.len());
            for argument in &call.arguments {
                let (expr, label) = self.open(argument, &shown)?;
                arguments.push(expr);
                labels.push(label);
            }
            let mut partition = Vec::with_capacity(call.partition.len());
            let mut within = BTreeSet::new();
            for expr in &call.partition {
                let (expr, label) = self.key(expr, &shown)?;
                within.extend(self.one_subject_each(&relation, &label));
                partition.push(expr);
                labels.push(label);
            }
            if !hidden.iter().all(|scan| within.contains(scan)) {
                return Err(Cause::WindowOverRows.into());
            }
            let order = self.sort_keys(&call.order, &shown)?;
            confined.push(WindowCall {
                arguments,
                partition,
                order,
                ..call.clone()
            });
            let label = Label::computed(&labels);
            relation.columns.push(Column {
                at: Some(relation.width),
                label,
            });
            relation.width += 1;
        }
        Ok(relation.wrap(|input| Node::Window {
            input,
            calls: confined,
        }))
    }
}
