//! Parameters become typed literals in the front, before confinement and before the digest is taken.

use crate::{Expr, Literal, Node, Plan};
use std::collections::BTreeMap;
use terms::Type;

/// Parameters that do not fit the statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbindable {
    /// Another number of values than the statement has parameters.
    #[error("{given} values for {wanted} parameters")]
    Count {
        /// Values given.
        given: usize,
        /// Parameters in the statement.
        wanted: usize,
    },
    /// A value of another type.
    #[error("parameter {index} takes {wanted}, not {given}")]
    Type {
        /// Which, from 0.
        index: usize,
        /// The value's type.
        given: Type,
        /// The parameter's type.
        wanted: Type,
    },
    /// A parameter that is missing in between or used with two types.
    #[error("parameter {0} has no single type")]
    Untyped(usize),
}

impl Plan {
    /// The types of the parameters, by index.
    ///
    /// # Errors
    /// [`Unbindable::Untyped`] where an index is missing or has two types.
    pub fn parameters(&self) -> Result<Vec<Type>, Unbindable> {
        let mut found: BTreeMap<u32, Vec<Type>> = BTreeMap::new();
        let mut nodes = vec![&self.root];
        while let Some(node) = nodes.pop() {
            let mut exprs: Vec<&Expr> = node.exprs().collect();
            while let Some(expr) = exprs.pop() {
                match expr {
                    Expr::Parameter(index, data_type) => {
                        found.entry(*index).or_default().push(*data_type);
                    }
                    Expr::Scalar(inside) => nodes.push(inside),
                    Expr::Column(_)
                    | Expr::Literal(_)
                    | Expr::Call(..)
                    | Expr::Cast { .. }
                    | Expr::Case { .. }
                    | Expr::InList { .. } => {}
                }
                exprs.extend(expr.children());
            }
            nodes.extend(node.inputs());
        }
        let types = found
            .into_iter()
            .enumerate()
            .map(|(wanted, (index, types))| {
                let first = types.first().copied().ok_or(Unbindable::Untyped(wanted))?;
                let alike = types.iter().all(|data_type| *data_type == first);
                if alike && usize::try_from(index) == Ok(wanted) {
                    Ok(first)
                } else {
                    Err(Unbindable::Untyped(wanted))
                }
            });
        types.collect()
    }

    /// The same plan with values in place of parameters.
    ///
    /// # Errors
    /// [`Unbindable`], before anything is changed.
    pub fn bind(&self, values: &[Literal]) -> Result<Self, Unbindable> {
        let wanted = self.parameters()?;
        if wanted.len() != values.len() {
            return Err(Unbindable::Count {
                given: values.len(),
                wanted: wanted.len(),
            });
        }
        for (index, (value, wanted)) in values.iter().zip(&wanted).enumerate() {
            if value.data_type() != *wanted {
                let (given, wanted) = (value.data_type(), *wanted);
                return Err(Unbindable::Type {
                    index,
                    given,
                    wanted,
                });
            }
        }
        let mut bound = self.clone();
        bind_node(&mut bound.root, values);
        Ok(bound)
    }
}

fn bind_node(node: &mut Node, values: &[Literal]) {
    node.exprs_mut().for_each(|expr| bind_expr(expr, values));
    node.inputs_mut().for_each(|input| bind_node(input, values));
}

fn bind_expr(expr: &mut Expr, values: &[Literal]) {
    if let Expr::Parameter(index, _) = expr {
        let value = usize::try_from(*index)
            .ok()
            .and_then(|index| values.get(index));
        if let Some(value) = value {
            *expr = Expr::Literal(value.clone());
        }
    } else if let Expr::Scalar(inside) = expr {
        bind_node(inside, values);
    }
    expr.children_mut()
        .for_each(|inside| bind_expr(inside, values));
}

#[cfg(test)]
mod tests;
