use super::Rewrite;
use crate::{
    Cause, Unconfinable,
    label::{Class, Label, Shape},
    relation::{Column, Relation, Witness, position},
};
use plan::{Check, Expr, Literal, Node};
use std::collections::BTreeSet;
use terms::Type;

impl Rewrite<'_> {
    /// The rows of all inputs. What one input carries, the others carry as nothing: no subject, no raw
    /// value, and a count that meets its threshold, since their rows hold none of that data. Groups that
    /// fall short go first.
    pub(super) fn union(&mut self, inputs: &[Node]) -> Result<Relation, Unconfinable> {
        let mut relations = Vec::with_capacity(inputs.len());
        for input in inputs {
            relations.push(self.relation(input, false)?.withhold());
        }
        let columns = self.united_columns(&relations)?;
        let shown = columns.len();
        let mut united = Relation::bare(
            Node::Values {
                types: vec![],
                rows: vec![],
            },
            columns,
            position(shown)?,
        );
        united.single = true;
        let mut carried: Vec<Carried> = Vec::new();
        for (index, relation) in relations.iter().enumerate() {
            carried_by(index, relation, &mut united, &mut carried)?;
        }
        let mut nodes = Vec::with_capacity(relations.len());
        for (index, relation) in relations.into_iter().enumerate() {
            nodes.push(aligned(index, relation, &carried)?);
        }
        united.node = Node::Union { inputs: nodes };
        Ok(united)
    }

    /// The labels of a union's columns: alike in class, with the sources of all.
    fn united_columns(&self, relations: &[Relation]) -> Result<Vec<Column>, Unconfinable> {
        let first = relations.first().ok_or(Cause::IllTyped)?;
        let mut columns = Vec::with_capacity(first.columns.len());
        for (at, column) in first.columns.iter().enumerate() {
            let mut sources = BTreeSet::new();
            let mut shape = column.label.shape;
            for relation in relations {
                let other = relation.columns.get(at).ok_or(Cause::IllTyped)?;
                if other.at.is_none() {
                    return Err(self.about(Cause::RawInExpression, &other.label));
                }
                if matches!(other.label.class, Class::Held { .. }) {
                    return Err(self.about(Cause::HeldValue, &other.label));
                }
                if super::is_join_only(&other.label) {
                    return Err(self.about(Cause::TokenJoinOnly, &other.label));
                }
                if other.label.class != column.label.class {
                    let token = matches!(other.label.class, Class::Token { .. });
                    let label = if token { &other.label } else { &column.label };
                    return Err(self.about(Cause::TokenMisused, label));
                }
                // Constants that differ from input to input say from which one a row is.
                let constant = |shape| matches!(shape, Shape::Constant);
                shape = match constant(shape) || constant(other.label.shape) {
                    true => Shape::Free,
                    false => shape.plus(other.label.shape),
                };
                sources.extend(other.label.sources.iter().cloned());
            }
            let label = Label {
                class: column.label.class.clone(),
                base: None,
                sources,
                shape,
                own_type: None,
                wraps: true,
            };
            columns.push(Column {
                at: Some(position(at)?),
                label,
            });
        }
        Ok(columns)
    }
}

/// One carried column of a union: whose it is, where it stood there, and what the others put instead.
struct Carried {
    input: usize,
    own: Expr,
    others: Literal,
}

fn carried_by(
    input: usize,
    relation: &Relation,
    united: &mut Relation,
    carried: &mut Vec<Carried>,
) -> Result<(), Unconfinable> {
    let fields = relation.node.fields().map_err(|_| Cause::IllTyped)?;
    let null_of = |at: u32| {
        let index = usize::try_from(at).ok();
        let field = index
            .and_then(|index| fields.get(index))
            .ok_or(Cause::IllTyped)?;
        Ok::<_, Unconfinable>(Literal::Null(field.data_type))
    };
    let mut add = |own: Expr, others: Literal| {
        let at = united.width;
        united.width += 1;
        carried.push(Carried { input, own, others });
        at
    };
    for (key, at) in &relation.raws {
        united
            .raws
            .insert(key.clone(), add(Expr::Column(*at), null_of(*at)?));
    }
    for (scan, at) in &relation.subjects {
        united
            .subjects
            .insert(*scan, add(Expr::Column(*at), null_of(*at)?));
    }
    for (scan, at) in &relation.rows {
        united
            .rows
            .insert(*scan, add(Expr::Column(*at), Literal::Null(Type::Int)));
    }
    for witness in &relation.witnesses {
        let k = witness.check.k;
        let at = add(witness.subjects(), Literal::Int(i64::from(k)));
        united.witnesses.push(Witness {
            at,
            check: Check::of(k),
            full: false,
            withheld: witness.withheld,
        });
    }
    united.single &= relation.single || relation.subjects.is_empty();
    united.external |= relation.external;
    united.once.extend(relation.once.iter().copied());
    Ok(())
}

/// One input with its shown columns first and every carried column of the union behind them.
fn aligned(index: usize, relation: Relation, carried: &[Carried]) -> Result<Node, Unconfinable> {
    let mut exprs = Vec::with_capacity(relation.columns.len() + carried.len());
    for column in &relation.columns {
        exprs.push(Expr::Column(column.at.ok_or(Cause::IllTyped)?));
    }
    for column in carried {
        let other = || Expr::Literal(column.others.clone());
        exprs.push(if column.input == index {
            column.own.clone()
        } else {
            other()
        });
    }
    Ok(Node::Project {
        input: Box::new(relation.node),
        exprs,
    })
}
