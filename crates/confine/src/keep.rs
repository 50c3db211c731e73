//! Results that are kept inside: what their rows are, and the labels that their columns keep.
//!
//! Two kinds, and nothing between them. *Rows of people*: each is made of one row of one protected dataset,
//! by projections, filters and joins that match it at most once; it keeps the numbers of that row and its
//! subject, and its columns keep their labels. A statement over them is then confined as the one that has
//! the making statement in its place, and its cells are held against that dataset's own. *Answers*: what its
//! maker could be answered by a statement; every cell over protected data owed its threshold and is on the
//! disclosure register. What is computed of them is computed of what was released.
//!
//! Source: design, "Derived data".

use crate::{
    Cause, Confined, OutputColumn, Unconfinable,
    confined::{each_scan, finished},
    label::{Class, Label},
    relation::Relation,
    rewrite::Rewrite,
    root::Rooted,
    scope::{ScanId, Scope},
};
use plan::{Expr, JoinKind, Node, Plan};
use policy::{Permit, PermittedDataset, view};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use terms::{
    DatasetName, DerivedColumn, DerivedSource, Digest, Grade, ItemName, KeptRows, LeftOut, Type,
};

/// The hidden columns of rows of people, last in the result: the row's number, where its dataset has one
/// beside the subject's, and the subject's.
const HIDDEN: [&str; 2] = ["__row", "__subject"];

/// What is known of a result that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What its rows are.
    pub rows: KeptRows,
    /// Whether operator-supplied rows went into it.
    pub external: bool,
    /// Its columns without the hidden ones, in the order of the result.
    pub columns: Vec<DerivedColumn>,
    /// How many hidden columns follow.
    pub hidden: usize,
    /// What it is made of, in catalogued items: what went into kept results that it reads among them.
    pub sources: Vec<DerivedSource>,
    /// How these are seen.
    pub view: Digest,
    /// The kept results that it reads, by what the domain calls them.
    pub reads: Vec<DatasetName>,
}

/// Confines a draft whose result is kept inside, or says why it cannot be.
///
/// # Errors
/// [`Unconfinable`], with the item it is about where there is one.
pub fn confine_kept(permit: Arc<Permit>, draft: &Plan) -> Result<Confined, Unconfinable> {
    let people = Scope::of(&permit, &draft.root)?;
    let confined = if is_of_people(&draft.root, &people)? {
        let mut of = None;
        let made = finished(Arc::clone(&permit), draft, |rewrite| {
            let (rooted, numbered) = rewrite.people(draft)?;
            of = Some(numbered);
            Ok(rooted)
        });
        let (confined, labels) = made?;
        let of = of.ok_or(Cause::IllTyped)?;
        people_of(confined, &labels, &of)?
    } else {
        answers_of(permit, draft)?
    };
    Ok(confined)
}

/// Whether a draft keeps rows of people: one scan of protected data, and from there to the root nothing but
/// projections, filters and joins that keep it whole on its side.
fn is_of_people(root: &Node, scope: &Scope<'_>) -> Result<bool, Unconfinable> {
    let mut protected = 0;
    for scan in root.scans() {
        protected += usize::from(scope.seen(&scan.dataset)?.protected);
    }
    Ok(protected == 1 && !scope.is_external() && stands_alone(root, scope)?)
}

fn stands_alone(node: &Node, scope: &Scope<'_>) -> Result<bool, Unconfinable> {
    let has = |node: &Node| {
        let protected = node
            .scans()
            .into_iter()
            .map(|scan| scope.seen(&scan.dataset).map(|dataset| dataset.protected));
        Ok::<_, Unconfinable>(protected.collect::<Result<Vec<_>, _>>()?.contains(&true))
    };
    match node {
        Node::Scan(scan) => Ok(scope.seen(&scan.dataset)?.protected),
        Node::Project { input, .. } | Node::Filter { input, .. } => stands_alone(input, scope),
        Node::Join {
            kind, left, right, ..
        } => match kind {
            JoinKind::Inner if has(right)? => stands_alone(right, scope),
            JoinKind::Right => stands_alone(right, scope),
            JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => {
                stands_alone(left, scope)
            }
            JoinKind::Full => Ok(false),
        },
        Node::Values { .. }
        | Node::Aggregate { .. }
        | Node::Window { .. }
        | Node::Sort { .. }
        | Node::Limit { .. }
        | Node::Distinct { .. }
        | Node::Union { .. }
        | Node::Withhold { .. } => Ok(false),
    }
}

/// What of people's columns only the rewriting knows.
#[derive(Default)]
struct Numbered {
    /// What the domain calls the scan's dataset, and in whose name its rows are counted.
    dataset: Option<(DatasetName, DatasetName)>,
    /// Of each column, whether no two rows agree in it, and whether it is the subject's token.
    unique: Vec<bool>,
    subject: Vec<bool>,
    hidden: usize,
}

/// A result's columns as they are put together.
#[derive(Default)]
struct Columns {
    columns: Vec<OutputColumn>,
    exprs: Vec<Expr>,
    left_out: Vec<LeftOut>,
    labels: Vec<Label>,
}

impl Columns {
    fn push(&mut self, name: &str, data_type: Type, at: u32) {
        self.columns.push(OutputColumn {
            name: name.to_owned(),
            data_type,
            sources: Vec::new(),
        });
        self.exprs.push(Expr::Column(at));
    }

    fn rooted(self, input: Node) -> Rooted {
        let names = self.columns.iter().map(|column| column.name.clone());
        Rooted {
            plan: Plan {
                names: names.collect(),
                root: Node::Project {
                    input: Box::new(input),
                    exprs: self.exprs,
                },
                checks: Vec::new(),
            },
            columns: self.columns,
            left_out: self.left_out,
            row_level: true,
            labels: self.labels,
        }
    }
}

impl Rewrite<'_> {
    /// Finishes a statement whose rows are kept: what is suppressed is left out and told, and the numbers
    /// of row and subject stand behind the rest.
    fn people(&mut self, draft: &Plan) -> Result<(Rooted, Numbered), Unconfinable> {
        let relation = self.relation(&draft.root, true)?;
        let scan = self.alone(&relation)?;
        let fields = relation.node.fields().map_err(|_| Cause::IllTyped)?;
        if relation.columns.len() != draft.names.len() {
            return Err(Cause::IllTyped.into());
        }
        let mut made = Columns::default();
        let mut numbered = Numbered::default();
        for (place, (column, name)) in relation.columns.iter().zip(&draft.names).enumerate() {
            let Some(at) = column.at else {
                let sources = column.label.sources.iter();
                made.left_out.extend(sources.map(|source| LeftOut {
                    dataset: source.dataset.clone(),
                    item: source.item.clone(),
                }));
                continue;
            };
            let field = usize::try_from(at).ok().and_then(|at| fields.get(at));
            let data_type = field.ok_or(Cause::IllTyped)?.data_type;
            if !data_type.is_plain() {
                return Err(Cause::IllTyped.into());
            }
            let own = column
                .label
                .base
                .as_ref()
                .is_some_and(|base| base.scan == scan);
            numbered.subject.push(own && self.is_subject(&column.label));
            numbered
                .unique
                .push(relation.keys.contains(&BTreeSet::from([place])));
            made.push(name, data_type, at);
            made.labels.push(column.label.clone());
        }
        if made.labels.is_empty() {
            return Err(Cause::NothingShown.into());
        }
        let row = relation.rows.get(&scan).copied();
        let subject = relation.subjects.get(&scan).copied();
        let hidden = [row, Some(subject.ok_or(Cause::NoRule)?)];
        for (name, at) in HIDDEN.into_iter().zip(hidden) {
            if let Some(at) = at {
                made.push(name, Type::Int, at);
                numbered.hidden += 1;
            }
        }
        let dataset = self.scope.of_scan(scan)?;
        numbered.dataset = Some((dataset.name.clone(), dataset.counted_as().clone()));
        Ok((made.rooted(relation.node), numbered))
    }

    /// The one protected scan whose rows stand here, each at most once, and nothing else that is owed.
    fn alone(&self, relation: &Relation) -> Result<ScanId, Unconfinable> {
        let mut scans = relation.subjects.keys();
        let (Some(scan), None) = (scans.next(), scans.next()) else {
            return Err(Cause::KeepNoSubject.into());
        };
        let dataset = self.scope.of_scan(*scan)?;
        let numbered = dataset.subject_unique || relation.rows.contains_key(scan);
        let owes_nothing = relation.witnesses.is_empty()
            && relation.contributions.is_empty()
            && self.reported.is_empty()
            && self.held.is_empty();
        if !dataset.protected || !numbered || !owes_nothing || relation.external {
            return Err(Cause::KeepNoSubject.into());
        }
        if !relation.once.contains(scan) {
            return Err(Cause::KeepMultiplied.into());
        }
        Ok(*scan)
    }
}

/// The confined statement as one whose rows of people are kept.
fn people_of(
    mut confined: Confined,
    labels: &[Label],
    numbered: &Numbered,
) -> Result<Confined, Unconfinable> {
    let (_, counted) = numbered.dataset.as_ref().ok_or(Cause::IllTyped)?;
    let marks = numbered.unique.iter().zip(&numbered.subject);
    let mut columns = Vec::with_capacity(labels.len());
    for ((column, label), (unique, subject)) in confined.columns().iter().zip(labels).zip(marks) {
        columns.push(DerivedColumn {
            bare: label.base.is_some(),
            subject: *subject,
            unique: *unique,
            typed: label.own_type == Some(column.data_type) && !label.wraps,
            made: label.shape.to_made(),
            ..kept_column(column, label)?
        });
    }
    let mut datasets = confined.permit().datasets().iter();
    let dataset = datasets.find(|dataset| dataset.name == *counted);
    let rows = KeptRows::People {
        dataset: counted.clone(),
        snapshot: dataset.ok_or(Cause::IllTyped)?.snapshot,
    };
    confined.kept = Some(kept(&confined, columns, (rows, false, numbered.hidden))?);
    Ok(confined)
}

/// Confines a draft whose result is answers: what it could be answered by, under the very same rules.
fn answers_of(permit: Arc<Permit>, draft: &Plan) -> Result<Confined, Unconfinable> {
    let scope = Scope::of(&permit, &draft.root)?;
    let external = scope.is_external();
    let finished = finished(Arc::clone(&permit), draft, |rewrite| rewrite.root(draft));
    let (mut confined, labels) = finished.map_err(|why| match why.cause {
        // The way to keep rows is another than the way to see them.
        Cause::RowsOff | Cause::RowsWithExternal => Unconfinable {
            cause: Cause::KeepNoSubject,
            ..why
        },
        _ => why,
    })?;
    if confined.is_protected() {
        // INVARIANT (answers owed their threshold): each row stands for a group that was withheld if it
        // fell short, and nobody in it is told apart by a token.
        let shows =
            |dataset: &PermittedDataset| dataset.protected && dataset.show_rows && !external;
        let mut read = draft.root.scans().into_iter();
        let mut unowed = confined.is_row_level();
        unowed |= read.try_fold(false, |any, scan| {
            Ok::<_, Unconfinable>(any || shows(scope.seen(&scan.dataset)?))
        })?;
        if unowed {
            return Err(Cause::KeepUnthresholded.into());
        }
        let token = |label: &&Label| matches!(label.class, Class::Token { .. });
        if labels.iter().any(|label| token(&label)) {
            return Err(Cause::KeepTokens.into());
        }
    }
    let columns = confined.columns().iter().zip(&labels);
    let columns: Result<Vec<_>, _> = columns
        .map(|(column, label)| kept_column(column, label))
        .collect();
    confined.kept = Some(kept(&confined, columns?, (KeptRows::Answers, external, 0))?);
    Ok(confined)
}

/// A column as a value that a caller wrote.
fn kept_column(column: &OutputColumn, label: &Label) -> Result<DerivedColumn, Unconfinable> {
    let name: ItemName = column.name.parse().map_err(|_| Cause::KeepNames)?;
    let token = match &label.class {
        Class::Token { domain, .. } => Some(domain.clone()),
        Class::Open => None,
        Class::Suppressed | Class::Held { .. } => return Err(Cause::IllTyped.into()),
    };
    let grades = label.sources.iter().map(|source| source.grade);
    Ok(DerivedColumn {
        name,
        data_type: column.data_type,
        grade: grades.max().unwrap_or(Grade::One),
        token,
        bare: false,
        subject: false,
        unique: false,
        typed: true,
        made: terms::Made::Freely,
    })
}

fn kept(
    confined: &Confined,
    columns: Vec<DerivedColumn>,
    (rows, external, hidden): (KeptRows, bool, usize),
) -> Result<Kept, Unconfinable> {
    let names: BTreeSet<&ItemName> = columns.iter().map(|column| &column.name).collect();
    if names.len() != columns.len() {
        return Err(Cause::KeepNames.into());
    }
    let (sources, reads) = sources(confined)?;
    let may_not = |source: &DerivedSource| {
        let mut datasets = confined.permit().datasets().iter();
        let dataset = datasets.find(|dataset| dataset.name == source.dataset)?;
        let mut items = dataset.items.iter();
        let item = items.find(|i| source.items.contains(&i.name) && !i.materialise)?;
        Some((dataset.name.clone(), item.name.clone(), item.grade))
    };
    if let Some(item) = sources.iter().find_map(may_not) {
        return Err(Unconfinable {
            cause: Cause::KeepItem,
            item: Some(item),
        });
    }
    let view = view(confined.permit().datasets(), &sources).ok_or(Cause::IllTyped)?;
    Ok(Kept {
        rows,
        external,
        columns,
        hidden,
        sources,
        view,
        reads,
    })
}

/// What the plan reads, in catalogued items, and the kept results among what it reads.
fn sources(confined: &Confined) -> Result<(Vec<DerivedSource>, Vec<DatasetName>), Unconfinable> {
    let mut items: BTreeMap<(DatasetName, u32), BTreeSet<ItemName>> = BTreeMap::new();
    let mut reads = BTreeSet::new();
    let mut scanned = BTreeSet::new();
    each_scan(&confined.plan().root, &mut |scan| {
        scanned.insert(scan.dataset.clone());
    });
    for name in scanned {
        let mut datasets = confined.permit().datasets().iter();
        let dataset = datasets.find(|dataset| dataset.name == name);
        let dataset = dataset.ok_or(Cause::IllTyped)?;
        if let Some(kept) = &dataset.kept {
            reads.insert(name);
            for source in &kept.derived.sources {
                let key = (source.dataset.clone(), source.snapshot);
                items
                    .entry(key)
                    .or_default()
                    .extend(source.items.iter().cloned());
            }
            continue;
        }
        // The subject is counted and the row policy asked by the gateway itself: the digest of the view
        // covers them.
        let used = confined.references().iter().filter(|reference| {
            reference.dataset == name
                && !["subject", "row-policy"].contains(&reference.way.as_str())
        });
        let used: Vec<ItemName> = used.map(|reference| reference.item.clone()).collect();
        items
            .entry((name, dataset.snapshot))
            .or_default()
            .extend(used);
    }
    let source = |((dataset, snapshot), items): (_, BTreeSet<ItemName>)| DerivedSource {
        dataset,
        snapshot,
        items: items.into_iter().collect(),
    };
    let sources = items.into_iter().map(source).collect();
    Ok((sources, reads.into_iter().collect()))
}
