use crate::Table;
use plan::{Expr, Literal, Node, Plan, Scan};
use terms::{DatasetName, ItemName, Type};

/// The table of the caller's own receipts. No dataset can have its schema.
const NAME: &str = "bonded.receipts";
/// Its columns.
const COLUMNS: [(&str, Type); 13] = [
    ("query", Type::Text),
    ("opened", Type::Timestamp),
    ("ended", Type::Timestamp),
    ("action", Type::Text),
    ("scenario", Type::Text),
    ("outcome", Type::Text),
    ("code", Type::Text),
    ("rows", Type::Int),
    ("bytes", Type::Int),
    ("notice", Type::Text),
    ("register", Type::Text),
    ("index", Type::Int),
    ("checkpoint", Type::Int),
];

/// One row of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The operation's id.
    pub query: String,
    /// When it was asked, in microseconds since 1970.
    pub opened: i64,
    /// When it ended; none while it has not.
    pub ended: Option<i64>,
    /// What was asked.
    pub action: String,
    /// For which scenario, if one was named.
    pub scenario: Option<String>,
    /// `released`, `exported`, `withheld`, `refused`, `failed`, `abandoned`, or `open`.
    pub outcome: String,
    /// The stable code of what was not released.
    pub code: Option<String>,
    /// Rows released.
    pub rows: Option<i64>,
    /// Bytes released, counted as Arrow buffers.
    pub bytes: Option<i64>,
    /// What was told of withheld groups.
    pub notice: Option<String>,
    /// What held the result against earlier ones.
    pub register: Option<String>,
    /// The index of its last entry in the log.
    pub index: i64,
    /// The size of the newest checkpoint, which covers that entry.
    pub checkpoint: i64,
}

/// The table as a caller's planner sees it.
pub(crate) fn table() -> Option<Table> {
    let columns = COLUMNS
        .iter()
        .map(|(name, data_type)| Some((name.parse().ok()?, *data_type)));
    Some(Table {
        dataset: NAME.parse().ok()?,
        columns: columns.collect::<Option<Vec<(ItemName, Type)>>>()?,
    })
}

/// How often a draft reads the caller's receipts.
#[must_use]
pub fn receipts_read(draft: &Plan) -> usize {
    let scans = draft.root.scans().into_iter();
    scans.filter(|scan| is_receipts(&scan.dataset)).count()
}

/// The draft with the caller's receipts written out where it reads them: from here on they are constants
/// like those that a caller writes. A column that is none is left as it stands, and is then not known.
#[must_use]
pub fn with_receipts(mut draft: Plan, rows: &[ReceiptRow]) -> Plan {
    written(&mut draft.root, rows);
    draft
}

fn written(node: &mut Node, rows: &[ReceiptRow]) {
    if let Node::Scan(scan) = node
        && is_receipts(&scan.dataset)
    {
        if let Some(values) = values(scan, rows) {
            *node = values;
        }
        return;
    }
    node.exprs_mut().for_each(|expr| written_in(expr, rows));
    node.inputs_mut().for_each(|input| written(input, rows));
}

fn written_in(expr: &mut Expr, rows: &[ReceiptRow]) {
    if let Expr::Scalar(inside) = expr {
        written(inside, rows);
    }
    expr.children_mut()
        .for_each(|inside| written_in(inside, rows));
}

fn values(scan: &Scan, rows: &[ReceiptRow]) -> Option<Node> {
    let known = |wanted: &plan::ScanColumn| {
        let mut columns = COLUMNS.iter();
        let at = columns.position(|(name, data_type)| {
            *name == wanted.item.as_str() && *data_type == wanted.data_type
        })?;
        (wanted.view == plan::View::Catalogue).then_some(at)
    };
    let wanted: Vec<usize> = scan.columns.iter().map(known).collect::<Option<_>>()?;
    if wanted.is_empty() || scan.rows.is_some() {
        return None;
    }
    let types: Vec<Type> = scan.columns.iter().map(|column| column.data_type).collect();
    let row = |row: &ReceiptRow| {
        let literals = row.literals();
        let shown = wanted.iter().filter_map(|at| literals.get(*at).cloned());
        shown.collect::<Vec<_>>()
    };
    let nothing = || {
        types
            .iter()
            .map(|data_type| Literal::Null(*data_type))
            .collect()
    };
    let (written, fetch) = match rows {
        [] => (vec![nothing()], 0),
        rows => (rows.iter().map(row).collect(), u64::MAX),
    };
    let values = Node::Values {
        types,
        rows: written,
    };
    // Values are one row at least.
    Some(match fetch {
        0 => Node::Limit {
            input: Box::new(values),
            skip: 0,
            fetch: Some(0),
        },
        _ => values,
    })
}

fn is_receipts(dataset: &DatasetName) -> bool {
    dataset.as_str() == NAME
}

impl ReceiptRow {
    /// In the order of the columns.
    fn literals(&self) -> [Literal; 13] {
        let text = |value: &str| Literal::Text(value.to_owned());
        let maybe =
            |value: &Option<String>| value.as_deref().map_or(Literal::Null(Type::Text), text);
        let number = |value: Option<i64>| value.map_or(Literal::Null(Type::Int), Literal::Int);
        let time =
            |value: Option<i64>| value.map_or(Literal::Null(Type::Timestamp), Literal::Timestamp);
        [
            text(&self.query),
            time(Some(self.opened)),
            time(self.ended),
            text(&self.action),
            maybe(&self.scenario),
            text(&self.outcome),
            maybe(&self.code),
            number(self.rows),
            number(self.bytes),
            maybe(&self.notice),
            maybe(&self.register),
            number(Some(self.index)),
            number(Some(self.checkpoint)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{ScanColumn, View};

    fn scan(columns: &[(&str, Type)]) -> Node {
        let columns = columns.iter().map(|(name, data_type)| ScanColumn {
            item: name.parse().unwrap(),
            data_type: *data_type,
            view: View::Catalogue,
        });
        Node::Scan(Scan {
            dataset: NAME.parse().unwrap(),
            columns: columns.collect(),
            rows: None,
        })
    }

    fn draft(root: Node) -> Plan {
        Plan {
            root,
            names: vec!["c".to_owned()],
            checks: vec![],
        }
    }

    fn row(query: &str) -> ReceiptRow {
        ReceiptRow {
            query: query.to_owned(),
            rows: Some(7),
            ..ReceiptRow::default()
        }
    }

    #[test]
    fn every_column_has_a_literal_of_its_type() {
        let mut known = row("q");
        for row in [known.clone(), {
            known.ended = Some(1);
            known.scenario = Some("s".to_owned());
            known
        }] {
            for ((name, data_type), literal) in COLUMNS.iter().zip(row.literals()) {
                assert_eq!(literal.data_type(), *data_type, "{name}");
            }
        }
        assert_eq!(table().unwrap().columns.len(), COLUMNS.len());
    }

    #[test]
    fn receipts_are_written_out_wherever_they_are_read() {
        let two = [("rows", Type::Int), ("query", Type::Text)];
        let inside = Node::Filter {
            input: Box::new(scan(&two)),
            predicate: Expr::call(
                plan::Function::Equal,
                [Expr::Column(0), Expr::Scalar(Box::new(scan(&two[..1])))],
            ),
        };
        let plan = draft(inside);
        assert_eq!(receipts_read(&plan), 2);
        let written = with_receipts(plan, &[row("a"), row("b")]);
        assert_eq!(receipts_read(&written), 0);
        let printed = format!("{written:?}");
        assert!(
            printed.contains("Text(\"b\")") && printed.contains("Int(7)"),
            "{printed}"
        );
        written.root.fields().unwrap();
    }

    #[test]
    fn without_receipts_there_are_no_rows_and_the_same_columns() {
        let written = with_receipts(draft(scan(&[("opened", Type::Timestamp)])), &[]);
        assert!(matches!(written.root, Node::Limit { fetch: Some(0), .. }));
        assert_eq!(written.fields().unwrap()[0].data_type, Type::Timestamp);
    }

    #[test]
    fn a_column_that_is_none_is_left_and_so_not_known() {
        let other_type = [("rows", Type::Text)];
        let other_name = [("sql", Type::Text)];
        for columns in [&other_type[..], &other_name[..], &[]] {
            let written = with_receipts(draft(scan(columns)), &[row("a")]);
            assert!(matches!(written.root, Node::Scan(_)), "{columns:?}");
        }
    }
}
