//! How large a statement is once each common table expression stands wherever it is named: each may
//! name the one before it twice, and sixteen of them are sixty-five thousand tables.

use crate::{Limits, Unplannable};
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// Refuses a query that reads more tables, or names more common table expressions, than it may.
///
/// # Errors
/// [`Unplannable::Guarded`] with the limit's name.
pub(crate) fn expanded(query: &Query, limits: &Limits) -> Result<(), Unplannable> {
    let mut count = Count {
        open: vec![Scope::default()],
        ctes: 0,
    };
    let _walked: ControlFlow<()> = query.visit(&mut count);
    if count.ctes > limits.ctes_max {
        return Err(Unplannable::Guarded("common table expressions"));
    }
    let relations = count.open.first().map_or(0, |scope| scope.relations);
    if relations > limits.relations_max {
        return Err(Unplannable::Guarded("tables"));
    }
    Ok(())
}

struct Count {
    /// The queries around the place that is visited; the first is around the whole.
    open: Vec<Scope>,
    ctes: usize,
}

#[derive(Default)]
struct Scope {
    /// Where the queries of its common table expressions stand, while they live.
    parts: BTreeSet<usize>,
    /// The names of those whose queries have been visited, in order, are taken from here.
    waiting: Vec<String>,
    /// What each name stands for, in tables.
    named: BTreeMap<String, usize>,
    relations: usize,
}

fn identity(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}

impl Visitor for Count {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let mut scope = Scope::default();
        if let Some(with) = &query.with {
            self.ctes = self.ctes.saturating_add(with.cte_tables.len());
            for cte in with.cte_tables.iter().rev() {
                scope.parts.insert(identity(&cte.query));
                scope.waiting.push(cte.alias.name.value.to_lowercase());
            }
        }
        self.open.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let relations = self.open.pop().map_or(0, |scope| scope.relations);
        if let Some(around) = self.open.last_mut() {
            if around.parts.contains(&identity(query))
                && let Some(name) = around.waiting.pop()
            {
                around.named.insert(name, relations);
            } else {
                around.relations = around.relations.saturating_add(relations);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let name = match relation.0.as_slice() {
            [part] => part.as_ident().map(|name| name.value.to_lowercase()),
            _ => None,
        };
        let found = name.and_then(|name| {
            let mut around = self.open.iter().rev();
            around.find_map(|scope| scope.named.get(&name).copied())
        });
        if let Some(scope) = self.open.last_mut() {
            scope.relations = scope.relations.saturating_add(found.unwrap_or(1).max(1));
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
