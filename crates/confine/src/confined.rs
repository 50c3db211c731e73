use crate::{
    Cause, Kept, Reported, Unconfinable, catalogue,
    label::Label,
    lineage::{Part, lineage},
    prune::pruned,
    rewrite::Rewrite,
    root::Rooted,
    scope::Scope,
    total::make_total,
};
use plan::{Node, Plan, View};
use policy::{Owed, Permit};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use terms::{
    DatasetName, Digest, Grade, ItemName, LeftOut, Mask, Obligations, Origin, Reference, Type,
};

/// The plan that may run under a permit. Made by [`confine`] alone.
#[derive(Debug, Clone)]
pub struct Confined {
    permit: Arc<Permit>,
    plan: Plan,
    digest: Digest,
    references: Vec<Reference>,
    columns: Vec<OutputColumn>,
    influences: Vec<Origin>,
    left_out: Vec<LeftOut>,
    reported: Vec<Reported>,
    row_level: bool,
    protected: bool,
    pub(crate) kept: Option<Kept>,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name; duplicates allowed.
    pub name: String,
    /// Its type.
    pub data_type: Type,
    /// The items it is computed from, or chosen by.
    pub sources: Vec<Origin>,
}

/// Confines a draft under a permit, or says why it cannot be.
///
/// # Errors
/// [`Unconfinable`], with the item it is about where there is one.
pub fn confine(permit: Arc<Permit>, draft: &Plan) -> Result<Confined, Unconfinable> {
    finished(permit, draft, |rewrite| rewrite.root(draft)).map(|(confined, _)| confined)
}

/// Confines a draft, its root finished in this way; with the labels of its columns.
pub(crate) fn finished(
    permit: Arc<Permit>,
    draft: &Plan,
    root: impl FnOnce(&mut Rewrite<'_>) -> Result<Rooted, Unconfinable>,
) -> Result<(Confined, Vec<Label>), Unconfinable> {
    if !draft.checks.is_empty() {
        return Err(Cause::IllTyped.into());
    }
    draft.fields().map_err(|_| Cause::IllTyped)?;
    let scope = Scope::of(&permit, &draft.root)?;
    let protected = scope.is_protected();
    let mut rewrite = Rewrite {
        scope,
        reported: Vec::new(),
        held: Vec::new(),
    };
    let rooted = root(&mut rewrite)?;
    let reported = rewrite.reported;
    let mut plan = pruned(rooted.plan).ok_or(Cause::IllTyped)?;
    if protected {
        make_total(&mut plan.root)?;
    }
    // INVARIANT (the result is typed by us): the finished plan is derived once more, from its leaves.
    let fields = plan.fields().map_err(|_| Cause::IllTyped)?;
    let agrees = fields
        .iter()
        .zip(&rooted.columns)
        .all(|(f, column)| f.data_type == column.data_type);
    if !agrees {
        return Err(Cause::IllTyped.into());
    }
    let digest = plan.digest();
    // INVARIANT (a permit for a product confines its plan alone): whatever the permit holds beside, nothing
    // else can be decided, run or released under it.
    if permit
        .product()
        .is_some_and(|product| product.plan != digest)
    {
        return Err(Cause::NotTheProduct.into());
    }
    let references = references(&permit, &plan)?;
    let known = lineage(&plan.root);
    let sources = |parts: &BTreeSet<Part>| parts.iter().map(|part| origin(&permit, part)).collect();
    let mut columns = rooted.columns;
    for (column, parts) in columns.iter_mut().zip(&known.columns) {
        column.sources = sources(parts);
    }
    let influences = sources(&known.whole);
    let confined = Confined {
        digest,
        plan,
        references,
        columns,
        influences,
        left_out: rooted.left_out,
        reported,
        row_level: rooted.row_level,
        protected,
        kept: None,
        permit,
    };
    Ok((confined, rooted.labels))
}

impl Confined {
    /// The permit it was confined under.
    #[must_use]
    pub const fn permit(&self) -> &Arc<Permit> {
        &self.permit
    }

    /// The plan: this and nothing else runs.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan's digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What the policies ask that permit this statement: by the items it uses, and by letting the caller
    /// in. All that apply bind; the strictest wins. Source: design, "Policy".
    #[must_use]
    pub fn owed(&self) -> Owed {
        // The subject is counted and the row policy asked by the gateway itself, for no use of the caller's.
        let used =
            |reference: &&Reference| !["subject", "row-policy"].contains(&reference.way.as_str());
        let owed = self.references.iter().filter(used).filter_map(|reference| {
            let mut datasets = self.permit.datasets().iter();
            let dataset = datasets.find(|dataset| dataset.name == reference.dataset)?;
            let mut items = dataset.items.iter();
            Some(items.find(|item| item.name == reference.item)?.owed)
        });
        let mut all = owed.fold(self.permit.owed(), Owed::strictest);
        // A kept result owes what it was made of, whichever of its columns are read.
        each_scan(&self.plan.root, &mut |scan| {
            let mut datasets = self.permit.datasets().iter();
            let dataset = datasets.find(|dataset| dataset.name == scan.dataset);
            let kept = dataset.and_then(|dataset| dataset.kept.as_ref());
            all = kept.map_or(all, |kept| all.strictest(kept.owed));
        });
        all
    }

    /// The caps on its result.
    #[must_use]
    pub fn obligations(&self) -> Obligations {
        self.owed().tightened(self.permit.obligations())
    }

    /// Every item the plan reads, and in which way.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The result's columns.
    #[must_use]
    pub fn columns(&self) -> &[OutputColumn] {
        &self.columns
    }

    /// The items that decide which rows there are, how they meet, group and are ordered.
    #[must_use]
    pub fn influences(&self) -> &[Origin] {
        &self.influences
    }

    /// Columns asked for that the result does not have.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// What holds the result against earlier ones: `audited`, or `none` where it has no thresholded
    /// cells.
    #[must_use]
    pub const fn register(&self) -> &'static str {
        if self.reported.is_empty() {
            "none"
        } else {
            "audited"
        }
    }

    /// The cells the disclosure register hears of, by the numbers of the plan's reports.
    #[must_use]
    pub fn reported(&self) -> &[Reported] {
        &self.reported
    }

    /// What is known of the result as one that is kept inside; none where it is not.
    #[must_use]
    pub const fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// Whether rows of protected data stand one by one in the result.
    #[must_use]
    pub const fn is_row_level(&self) -> bool {
        self.row_level
    }

    /// Whether any protected dataset is read.
    #[must_use]
    pub const fn is_protected(&self) -> bool {
        self.protected
    }

    /// Whether groups of the result may have been withheld.
    #[must_use]
    pub fn notice_possible(&self) -> bool {
        withholds(&self.plan.root)
    }

    /// What the runner needs: each dataset, its snapshot, and exactly the items whose keys it gets.
    /// Row and subject numbers are the store's own and are not listed here; [`Self::numbers`].
    #[must_use]
    pub fn sources(&self) -> Vec<(DatasetName, u32, Vec<ItemName>)> {
        let mut read: BTreeMap<&DatasetName, BTreeSet<&ItemName>> = BTreeMap::new();
        each_scan(&self.plan.root, &mut |scan| {
            let items = read.entry(&scan.dataset).or_default();
            items.extend(
                scan.columns
                    .iter()
                    .filter(|c| !matches!(c.view, View::Row | View::Subject))
                    .map(|c| &c.item),
            );
            items.extend(
                scan.rows
                    .iter()
                    .flat_map(|rows| rows.items.iter().map(|(item, _)| item)),
            );
        });
        let snapshot = |name: &DatasetName| {
            let found = self
                .permit
                .datasets()
                .iter()
                .find(|dataset| &dataset.name == name);
            found.map_or(0, |dataset| dataset.snapshot)
        };
        let source = |(name, items): (&DatasetName, BTreeSet<&ItemName>)| {
            (
                name.clone(),
                snapshot(name),
                items.into_iter().cloned().collect(),
            )
        };
        read.into_iter().map(source).collect()
    }

    /// Whether the plan reads row numbers of this dataset, and whether it reads subject numbers.
    #[must_use]
    pub fn numbers(&self, dataset: &DatasetName) -> (bool, bool) {
        let mut found = (false, false);
        each_scan(&self.plan.root, &mut |scan| {
            let reads = |view: View| scan.columns.iter().any(|column| column.view == view);
            if &scan.dataset == dataset {
                found.0 |= reads(View::Row);
                found.1 |= reads(View::Subject);
            }
        });
        found
    }

    /// Whether the rows of a dataset come in an order of the scenario's own: people are in it, or the plan
    /// hides something of it. By the order it was brought in, a row would be the same row in every scenario,
    /// whatever tokens it has there.
    #[must_use]
    pub fn hides_order(&self, dataset: &DatasetName) -> bool {
        let mut datasets = self.permit.datasets().iter();
        let found = datasets.find(|permitted| &permitted.name == dataset);
        let mut hidden = found.is_none_or(|permitted| permitted.protected);
        each_scan(&self.plan.root, &mut |scan| {
            hidden |= &scan.dataset == dataset && !scan.is_open();
        });
        hidden
    }

    /// What a caller's planner sees under the same permit.
    #[must_use]
    pub fn catalogue(&self) -> Vec<catalogue::Table> {
        catalogue(&self.permit)
    }
}

/// The grade of an item under a permit; what is not there is of the highest.
fn grade(permit: &Permit, dataset: &DatasetName, item: &ItemName) -> Grade {
    let found = permit.datasets().iter().find(|d| &d.name == dataset);
    let of = |dataset: &policy::PermittedDataset| {
        let shown = dataset.items.iter().find(|i| &i.name == item);
        let absent = || dataset.absent.iter().find(|i| &i.name == item);
        shown.map(|i| i.grade).or_else(|| Some(absent()?.grade))
    };
    found.and_then(of).unwrap_or(Grade::Four)
}

fn origin(permit: &Permit, part: &Part) -> Origin {
    Origin {
        dataset: part.dataset.clone(),
        item: part.item.clone(),
        grade: grade(permit, &part.dataset, &part.item),
        way: part.way.clone(),
        flow: part.flow,
    }
}

/// Visits every scan, those of subqueries too.
pub(crate) fn each_scan<'n>(root: &'n Node, visit: &mut impl FnMut(&'n plan::Scan)) {
    let mut nodes = vec![root];
    while let Some(node) = nodes.pop() {
        if let Node::Scan(scan) = node {
            visit(scan);
        }
        let mut exprs: Vec<&plan::Expr> = node.exprs().collect();
        while let Some(expr) = exprs.pop() {
            if let plan::Expr::Scalar(inside) = expr {
                nodes.push(inside);
            }
            exprs.extend(expr.children());
        }
        nodes.extend(node.inputs());
    }
}

fn withholds(root: &Node) -> bool {
    let mut nodes = vec![root];
    while let Some(node) = nodes.pop() {
        if matches!(node, Node::Withhold { .. }) {
            return true;
        }
        let mut exprs: Vec<&plan::Expr> = node.exprs().collect();
        while let Some(expr) = exprs.pop() {
            if let plan::Expr::Scalar(inside) = expr {
                nodes.push(inside);
            }
            exprs.extend(expr.children());
        }
        nodes.extend(node.inputs());
    }
    false
}

/// The items a plan reads, in order, each way once. What is read raw is read by approved aggregates,
/// or is the subject that witnesses count.
fn references(permit: &Permit, plan: &Plan) -> Result<Vec<Reference>, Unconfinable> {
    let mut found = BTreeSet::new();
    let mut unknown = false;
    each_scan(&plan.root, &mut |scan| {
        let Some(dataset) = permit.datasets().iter().find(|d| d.name == scan.dataset) else {
            unknown = true;
            return;
        };
        let mut add = |item: &ItemName, way: String| {
            let grade = grade(permit, &dataset.name, item);
            let dataset = dataset.name.clone();
            found.insert(Reference {
                dataset,
                item: item.clone(),
                grade,
                way,
            });
        };
        for column in &scan.columns {
            match &column.view {
                View::Catalogue => unknown = true,
                View::Masked(mask, _) => add(&column.item, Mask::from(*mask).to_string()),
                View::Subject => add(&column.item, "subject".to_owned()),
                View::Raw => add(&column.item, "raw-aggregate".to_owned()),
                View::Row => {}
            }
        }
        for (item, _) in scan.rows.iter().flat_map(|rows| &rows.items) {
            add(item, "row-policy".to_owned());
        }
    });
    if unknown {
        Err(Cause::IllTyped.into())
    } else {
        Ok(found.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
